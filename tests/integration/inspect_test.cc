// `ponder inspect` and `ponder doctor` on real runs and real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kLimitS = 120;

std::string Program(const std::string& name) {
  return std::string(std::getenv("PONDER_BIN_DIR")) + "/" + name;
}

ProcessRun Ponder(const std::string& arguments) {
  return RunCommand(Program("ponder") + " " + arguments, {}, kLimitS);
}

// The JSON object that a program printed; others may have written lines around it.
json JsonOf(const ProcessRun& run) {
  const size_t begin = run.output.find('{');
  const size_t end = run.output.rfind('}');
  if (begin == std::string::npos || end == std::string::npos) {
    ADD_FAILURE() << run.output;
    return json::object();
  }
  return json::parse(run.output.substr(begin, end + 1 - begin));
}

void FlipByte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file.good()) << path;
  constexpr std::streamoff kOffset = 5000;
  file.seekg(kOffset);
  const int byte = file.get();
  file.seekp(kOffset);
  file.put(static_cast<char>(byte ^ 1));
}

TEST(InspectRunTest, TellsWhatTheNextStartThenDoes) {
  const UpRun run("inspect", "tiny_smoke.yaml");
  // Ends in stage 'reason' by a kill that is not repeated.
  EXPECT_NE(
      run.Start({"launch.max_restarts=0"}, "trainer.backward=kill@90,role=trainer,rank=0", kLimitS)
          .exit_code,
      0);
  const ProcessRun whole = Ponder("inspect --json " + run.folder());
  EXPECT_EQ(whole.exit_code, 0) << whole.output;
  const json before = JsonOf(whole);
  EXPECT_EQ(before["resume"]["would"], "goes_on");
  EXPECT_EQ(before["resume"]["stage"], "reason");
  EXPECT_THAT(before["attempts"][0]["end"].get<std::string>(), HasSubstr("signal 9"));
  const std::string newest = run.folder() + "/" + before["resume"]["from"].get<std::string>();

  // One flipped byte: the checkpoint is damaged, the run passes over it.
  FlipByte(newest + "/policy/model.safetensors");
  const ProcessRun damaged = Ponder("inspect " + newest);
  EXPECT_EQ(damaged.exit_code, 65);
  EXPECT_THAT(damaged.output, HasSubstr("DAMAGED"));
  EXPECT_THAT(damaged.output,
              ::testing::AllOf(HasSubstr("BAD  461.4 kB"), HasSubstr("expected CRC32C")));
  const ProcessRun after_run = Ponder("inspect --json " + run.folder());
  EXPECT_EQ(after_run.exit_code, 65);
  const json after = JsonOf(after_run);
  EXPECT_THAT(after["resume"]["passed_over"], SizeIs(1));
  EXPECT_LT(after["resume"]["run_step"], before["resume"]["run_step"]);

  // The start does what was said.
  const ProcessRun resumed = run.Start({}, "", kLimitS);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  EXPECT_THAT(
      resumed.output,
      HasSubstr("going on from " + run.folder() + "/" + after["resume"]["from"].get<std::string>() +
                ": stage 'reason' step " + after["resume"]["stage_step"].dump() + ","));
  EXPECT_EQ(JsonOf(Ponder("inspect --json " + run.folder()))["resume"]["would"], "finished");

  // A truncated file of weights.
  const std::string weights = newest + "/policy/model.safetensors";
  fs::copy_file(weights, run.directory() + "/cut.safetensors");
  fs::resize_file(run.directory() + "/cut.safetensors", fs::file_size(weights) - 1);
  const ProcessRun cut = Ponder("inspect " + run.directory() + "/cut.safetensors");
  EXPECT_EQ(cut.exit_code, 65);
  EXPECT_THAT(cut.output, HasSubstr("DAMAGED"));
}

TEST(InspectExperimentTest, PlansTheQuickstart) {
  const ProcessRun run = Ponder("inspect --json " + std::string(std::getenv("PONDER_SOURCE_DIR")) +
                                "/configs/quickstart.yaml");
  EXPECT_EQ(run.exit_code, 0) << run.output;
  const json plan = JsonOf(run);
  EXPECT_EQ(plan["models"][0]["num_parameters"], 114688) << plan["models_problem"];
  EXPECT_THAT(plan["stages"], SizeIs(3));
  EXPECT_EQ(plan["stages"][2]["max_tokens_per_step"], 32 * 8 * 64);
}

// Two copies of a runtime in one process are two sets of globals.
TEST(OneOfEachRuntimeTest, IsLoadedInTrainerAndWorker) {
  struct Case {
    const char* program;
    std::vector<std::string> libraries;
  };
  const Case cases[] = {
      {"ponder_trainer", {"libcudart", "libgomp", "libgrpc", "libmpi", "libnccl", "libprotobuf"}},
      {"ponder_rollout", {"libcudart", "libgomp", "libgrpc", "libprotobuf"}}};
  for (const Case& tested : cases) {
    const ProcessRun run = RunCommand(Program(tested.program) + " --self-test", {}, kLimitS);
    ASSERT_EQ(run.exit_code, 0) << run.output;
    const json loaded = JsonOf(run).at("libraries");
    std::vector<std::string> names;
    for (const auto& [name, paths] : loaded.items()) {
      names.push_back(name);
      EXPECT_THAT(paths, SizeIs(1)) << tested.program << ": " << name << " " << paths;
    }
    EXPECT_EQ(names, tested.libraries) << tested.program;
  }
}

TEST(DoctorTest, FindsThatARunWouldWorkHere) {
  const ProcessRun run = Ponder("doctor --json --dir " + ::testing::TempDir());
  EXPECT_EQ(run.exit_code, 0) << run.output;
  const json answer = JsonOf(run);
  EXPECT_EQ(answer["exit_code"], 0);
  EXPECT_GE(answer["sections"].size(), 6u);
}

}  // namespace
}  // namespace ponder
