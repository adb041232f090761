// What other programs see of a run: TensorBoard reads its event files, also after a kill, and the
// uploader reads its metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
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

// A run folder of two steps, and stand-ins for the Python packages that the uploader imports: they
// append each call as a line of JSON to `calls`. That of wandb keeps the summary of a run, which
// W&B's own has when a run is resumed.
class UploaderTest : public ::testing::Test {
 protected:
  UploaderTest() : directory_(::testing::TempDir() + "ponder_uploader") {
    fs::remove_all(directory_);
    fs::create_directories(directory_ + "/run");
    Write("run/run.json", R"({"run_id": "run-1"})");
    Write("run/metrics.jsonl", R"({"kind": "step", "step": 1, "actor/loss": 0.5})"
                               "\n"
                               R"({"kind": "step", "step": 2, "actor/loss": 0.25})"
                               "\n");
    Write("calls.py", R"(
import json, os
def call(name, *values):
    with open(os.environ["CALLS"], "a") as stream:
        stream.write(json.dumps([name, *values]) + "\n")
)");
    Write("wandb.py", R"(
import json, os
from calls import call
SUMMARY = os.environ["CALLS"] + ".summary"
class Run:
    def __init__(self):
        self.summary = json.load(open(SUMMARY)) if os.path.exists(SUMMARY) else {}
    def define_metric(self, name, step_metric=None):
        call("define_metric", name, step_metric)
    def log(self, values, step=None):
        call("log", values, step)
    def finish(self):
        json.dump(self.summary, open(SUMMARY, "w"))
def init(project, id, name, resume):
    call("init", project, id, name, resume)
    return Run()
)");
    Write("mlflow.py", R"(
import contextlib, os
from calls import call
from types import SimpleNamespace
def set_experiment(name):
    call("set_experiment", name)
def search_runs(filter_string, output_format, max_results):
    known = "start_run" in open(os.environ["CALLS"]).read()
    return [SimpleNamespace(info=SimpleNamespace(run_id="theirs"))] if known else []
@contextlib.contextmanager
def start_run(run_id, run_name):
    call("start_run", run_id, run_name)
    yield
def set_tag(name, value):
    call("set_tag", name, value)
def log_metrics(values, step):
    call("log_metrics", values, step)
)");
  }
  ~UploaderTest() override {
    if (!HasFailure()) fs::remove_all(directory_);
  }

  void Write(const std::string& name, const std::string& text, std::ios::openmode mode = {}) const {
    std::ofstream(directory_ + "/" + name, std::ios::out | mode) << text;
  }

  // What one upload called.
  std::vector<json> Upload(const std::string& target) const {
    const size_t before = Calls().size();
    const ProcessRun sent = RunCommand(
        "python3 " + Source("scripts/upload_metrics.py") + " " + directory_ + "/run --to " + target,
        {{"PYTHONPATH", directory_}, {"CALLS", directory_ + "/calls"}}, kLimitS);
    EXPECT_EQ(sent.exit_code, 0) << sent.output;
    const std::vector<json> calls = Calls();
    return {calls.begin() + static_cast<ptrdiff_t>(before), calls.end()};
  }

  static std::vector<json> Named(const std::vector<json>& calls, const std::string& name) {
    std::vector<json> found;
    for (const json& call : calls) {
      if (call.at(0) == name) found.push_back(call);
    }
    return found;
  }

 private:
  std::vector<json> Calls() const {
    std::vector<json> calls;
    std::ifstream stream(directory_ + "/calls");
    for (std::string text; std::getline(stream, text);) calls.push_back(json::parse(text));
    return calls;
  }

  const std::string directory_;
};

TEST_F(UploaderTest, GivesWandbStepsAsValuesSoThatLaterOnesOfAStepArrive) {
  const std::vector<json> first = Upload("wandb");
  EXPECT_EQ(first.at(0), json({"init", "ponder", "run-1", "run", "allow"}));
  EXPECT_THAT(Named(first, "define_metric"),
              ::testing::Contains(json({"define_metric", "*", "run_step"})));
  // W&B would drop what has a step of its own that is over.
  EXPECT_THAT(
      Named(first, "log"),
      ::testing::ElementsAre(json({"log", {{"actor/loss", 0.5}, {"run_step", 1}}, nullptr}),
                             json({"log", {{"actor/loss", 0.25}, {"run_step", 2}}, nullptr})));
  Write("run/metrics.jsonl",
        R"({"kind": "evaluation", "set": "heldout", "step": 1, "val/sampled": 0.75})"
        "\n",
        std::ios::app);
  Write("run/timing.jsonl", R"({"kind": "step", "step": 2, "perf/tokens_per_s": 9.0})"
                            "\n");
  EXPECT_THAT(Named(Upload("wandb"), "log"),
              ::testing::ElementsAre(
                  json({"log", {{"val/sampled/heldout", 0.75}, {"run_step", 1}}, nullptr}),
                  json({"log", {{"perf/tokens_per_s", 9.0}, {"run_step", 2}}, nullptr})));
  EXPECT_THAT(Named(Upload("wandb"), "log"), ::testing::IsEmpty());
}

TEST_F(UploaderTest, FindsTheRunOfItsIdInMlflowAgain) {
  Write("calls", "");
  const std::vector<json> first = Upload("mlflow");
  EXPECT_THAT(Named(first, "start_run"),
              ::testing::ElementsAre(json({"start_run", nullptr, "run"})));
  EXPECT_THAT(Named(first, "set_tag"),
              ::testing::ElementsAre(json({"set_tag", "ponder_run_id", "run-1"})));
  EXPECT_THAT(Named(first, "log_metrics"),
              ::testing::ElementsAre(json({"log_metrics", {{"actor/loss", 0.5}}, 1}),
                                     json({"log_metrics", {{"actor/loss", 0.25}}, 2})));
  EXPECT_THAT(Named(Upload("mlflow"), "start_run"),
              ::testing::ElementsAre(json({"start_run", "theirs", nullptr})));
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
