// What other programs see of a run: TensorBoard reads its event files, also after a kill, and the
// uploader reads its metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int kLimitS = 120;
constexpr int kNoPackage = 77;

std::string Source(const std::string& path) {
  return std::string(std::getenv("PONDER_SOURCE_DIR")) + "/" + path;
}

// Values by curve and step, as the lines of metrics.jsonl say.
std::map<std::string, std::map<int64_t, double>> CurvesOf(const std::string& folder) {
  std::map<std::string, std::map<int64_t, double>> curves;
  std::ifstream stream(folder + "/metrics.jsonl");
  std::string text;
  while (std::getline(stream, text)) {
    const json line = json::parse(text);
    const std::string set = line.value("set", "");
    for (const auto& [name, value] : line.items()) {
      if (name.find('/') == std::string::npos || !value.is_number()) continue;
      curves[set.empty() ? name : name + "/" + set][line.at("step")] = value;
    }
  }
  return curves;
}

// The package may be installed for this Python, or in the folder that scripts/install_deps.sh
// fills.
std::map<std::string, std::string> PythonPath() { return {{"PYTHONPATH", Source(".deps/tools")}}; }

TEST(TensorBoardTest, ReadsTheCurvesOfARunThatWasKilled) {
  const UpRun run("tensorboard", "tiny_smoke.yaml");
  const ProcessRun result = run.Start(
      {}, "trainer.backward=kill@90,role=trainer,rank=0,once=" + run.Marker("kill"), kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const ProcessRun reader = RunCommand(
      "python3 " + Source("tests/integration/read_events.py") + " " + run.folder() + "/tensorboard",
      PythonPath(), kLimitS);
  if (reader.exit_code == kNoPackage) {
    GTEST_SKIP() << "the Python package tensorboard is not installed (scripts/install_deps.sh "
                    "--tools brings it)";
  }
  ASSERT_EQ(reader.exit_code, 0) << reader.output;
  const json read = json::parse(reader.output.substr(reader.output.rfind("\n{") + 1));
  const auto expected = CurvesOf(run.folder());
  ASSERT_GT(expected.size(), 20u);
  for (const auto& [tag, values] : expected) {
    ASSERT_TRUE(read.contains(tag)) << tag;
    std::map<int64_t, double> curve;
    for (const json& point : read.at(tag)) {
      const auto step = point.at(0).get<int64_t>();
      EXPECT_FALSE(curve.contains(step)) << tag << " has step " << step << " twice";
      curve[step] = point.at(1);
    }
    ASSERT_EQ(curve.size(), values.size()) << tag;
    for (const auto& [step, value] : values) {
      EXPECT_EQ(static_cast<float>(curve.at(step)), static_cast<float>(value))
          << tag << " at step " << step;
    }
  }
}

TEST(UploadTest, SendsEveryStepOnceWithTheIdOfTheRun) {
  const UpRun run("upload", "tiny_smoke.yaml");
  ASSERT_EQ(run.Start({}, "", kLimitS).exit_code, 0);
  std::ofstream(run.folder() + "/metrics.jsonl", std::ios::app) << "{\"kind\": \"st";  // torn
  const ProcessRun sent = RunCommand(
      Source("scripts/upload_metrics.py") + " " + run.folder() + " --to json", {}, kLimitS);
  ASSERT_EQ(sent.exit_code, 0) << sent.output;
  std::istringstream lines(sent.output);
  std::string text;
  int64_t last = 0;
  while (std::getline(lines, text)) {
    const json line = json::parse(text);
    EXPECT_GT(line.at("step").get<int64_t>(), last);
    last = line.at("step");
    EXPECT_THAT(line.at("run").get<std::string>(), ::testing::StartsWith("run-"));
    EXPECT_TRUE(line.at("values").contains("actor/loss")) << text;
  }
  EXPECT_EQ(last, 94);
  const ProcessRun wrong =
      RunCommand(Source("scripts/upload_metrics.py") + " /tmp --to json", {}, kLimitS);
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("is no run folder"));
}

}  // namespace
}  // namespace ponder
