// What docs/runs.md promises: a finished run is made longer, or begun from by another, and what
// would make its folder lie is refused with a way to go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 240;

std::string ReadAll(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The lines of metrics.jsonl that are about steps.
std::vector<std::string> StepLines(const std::string& folder) {
  std::vector<std::string> lines;
  std::istringstream stream(ReadAll(folder + "/metrics.jsonl"));
  std::string line;
  while (std::getline(stream, line)) {
    if (line.find("\"kind\": \"step\"") != std::string::npos) lines.push_back(line);
  }
  return lines;
}

std::string PolicyOf(const fs::path& checkpoint) {
  return ReadAll(checkpoint / "policy" / "model.safetensors");
}

// Starts run `name` beside the finished run: the last stage alone, from `init`.
ProcessRun Fork(const UpRun& run, const std::string& name, const std::string& init,
                const std::vector<std::string>& overrides) {
  const std::string path = run.directory() + "/" + name + ".yaml";
  std::ofstream(path) << R"(config_version: 1
run: {name: )" << name
                      << ", dir: " << run.directory() << R"(}
tasks:
  chain: {type: chain, modulus: 11, num_operations: {min: 1, max: 1}}
models:
  policy: {init: )" << init
                      << R"(}
stages:
  - name: reason
    algorithm: grpo
    task: chain
    num_steps: 2
    prompts_per_step: 4
    samples_per_prompt: 8
    optimizer: {learning_rate: 5.0e-4}
    rollout: {max_new_tokens: 16}
    rewards: [{name: answer, type: exact_answer}]
)";
  std::string command = std::string(std::getenv("PONDER_BIN_DIR")) + "/ponder up " + path;
  for (const std::string& text : overrides) command += " --set " + text;
  return RunCommand(command, {{"PONDER_PROGRESS", "lines"}}, kLimitS);
}

class FinishedRunTest : public ::testing::Test {
 protected:
  FinishedRunTest() : run_("finished_run", kConfig) {
    const ProcessRun result = run_.Start({"checkpoint.keep=100"}, "", kLimitS);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
  const UpRun run_;
};

TEST_F(FinishedRunTest, IsMadeLongerAsIfItHadBeenSoLongFromTheBeginning) {
  const std::vector<std::string> longer = {"checkpoint.keep=100", "stages.reason.num_steps=16"};
  const UpRun whole("whole", kConfig);
  ASSERT_EQ(whole.Start(longer, "", kLimitS).exit_code, 0);
  const ProcessRun result = run_.Start(longer, "", kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(StepLines(run_.folder()), StepLines(whole.folder()));
  auto digests = run_.Digests();
  auto expected = whole.Digests();
  // The evaluation at the former end stays where it was written.
  digests.erase("metrics.jsonl");
  expected.erase("metrics.jsonl");
  EXPECT_EQ(digests, expected);

  // A stage that has ended keeps its length, and the answer says how to go on.
  const ProcessRun refused = run_.Start({"stages.pretrain.num_steps=100"}, "", kLimitS);
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("stages.pretrain.num_steps: was 80, is now 100, but stage "
                                        "'imitate' has begun already"));
  EXPECT_THAT(refused.output, HasSubstr("models.NAME.init: {run: run, stage: NAME}"));
  EXPECT_EQ(run_.Digests(), [&] {
    auto unchanged = digests;
    unchanged["metrics.jsonl"] = run_.Digests().at("metrics.jsonl");
    return unchanged;
  }());
}

TEST(LongerRunTest, IsPossibleAlsoWhenSamplingRanAhead) {
  const UpRun ahead("ahead", kConfig);
  ASSERT_EQ(ahead.Start({"stages.reason.max_staleness=1"}, "", kLimitS).exit_code, 0);
  const ProcessRun result =
      ahead.Start({"stages.reason.max_staleness=1", "stages.reason.num_steps=16"}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(StepLines(ahead.folder()).size(), 80u + 2u + 16u);
}

TEST(LongerRunTest, TellsWhenItsScheduleEndsBeforeTheStage) {
  const UpRun falling("falling", kConfig);
  const ProcessRun result = falling.Start(
      {"stages.reason.num_steps=3", "'stages.reason.schedule={name: linear, decay_steps: 2}'"}, "",
      kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stage 'reason': the learning rate is 0 from update 2 of 3 "
                                       "on (schedule.decay_steps is reached"));
}

TEST_F(FinishedRunTest, IsBegunFromByOthersAtAStepOrAtTheEndOfAStage) {
  const fs::path checkpoints = run_.folder() + "/checkpoints";
  const ProcessRun of_step = Fork(run_, "of_step", "{run: run, step: 88}", {});
  ASSERT_EQ(of_step.exit_code, 0) << of_step.output;
  EXPECT_EQ(PolicyOf(run_.directory() + "/of_step/stages/reason/start"),
            PolicyOf(checkpoints / "step_000088"));
  const ProcessRun of_stage = Fork(run_, "of_stage", "{run: run, stage: imitate}", {});
  ASSERT_EQ(of_stage.exit_code, 0) << of_stage.output;
  EXPECT_EQ(PolicyOf(run_.directory() + "/of_stage/stages/reason/start"),
            PolicyOf(run_.folder() + "/stages/reason/start"));
  const ProcessRun of_end = Fork(run_, "of_end", "{run: run, stage: reason}", {});
  ASSERT_EQ(of_end.exit_code, 0) << of_end.output;
  EXPECT_EQ(PolicyOf(run_.directory() + "/of_end/stages/reason/start"),
            PolicyOf(checkpoints / "step_000094"));

  const ProcessRun missing = Fork(run_, "of_nothing", "{run: run, step: 3}", {});
  EXPECT_EQ(missing.exit_code, 2) << missing.output;
  EXPECT_THAT(missing.output, HasSubstr("expected a checkpoint of step 3, got none; it has 4, 8"));
}

TEST_F(FinishedRunTest, MayBeRemovedOnceAnotherHasBegunFromIt) {
  const ProcessRun first = Fork(run_, "fork", "{run: run, step: 88}", {});
  ASSERT_EQ(first.exit_code, 0) << first.output;
  fs::remove_all(run_.folder());
  const ProcessRun longer =
      Fork(run_, "fork", "{run: run, step: 88}", {"stages.reason.num_steps=3"});
  EXPECT_EQ(longer.exit_code, 0) << longer.output;
  EXPECT_EQ(StepLines(run_.directory() + "/fork").size(), 3u);
}

}  // namespace
}  // namespace ponder
