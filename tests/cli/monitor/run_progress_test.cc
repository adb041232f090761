#include "cli/monitor/run_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/monitor/run_status.h"
#include "core/base/error.h"

namespace ponder {
namespace {

using testing::ElementsAre;

// Two stages of 10 and 4 steps.
const std::vector<StageTarget> kStages{{"imitate", 10, 0}, {"reason", 4, 10}};

constexpr const char* kMetrics =
    "e\": 1, \"torn\": 2}\n"
    R"({"kind": "step", "stage": "imitate", "step": 10, "version": 0, "actor/loss": 0.5})"
    "\n"
    R"({"kind": "evaluation", "set": "final", "stage": "imitate", "step": 10, "val/sampled": 0.25})"
    "\n"
    R"({"kind": "step", "stage": "reason", "step": 11, "actor/loss": 0.1, "reward/mean": 0.5})"
    "\n"
    R"({"kind": "step", "stage": "reason", "step": 12, "actor/loss": null, "reward/mean": 0.75})"
    "\n"
    R"({"kind": "step", "stage": "rea)";
constexpr const char* kTiming =
    R"({"kind": "step", "stage": "imitate", "step": 10, "timing/step_s": 100})"
    "\n"
    R"({"kind": "step", "stage": "reason", "step": 11, "timing/step_s": 2, "perf/tokens_per_s": 7})"
    "\n"
    R"({"kind": "checkpoint", "step": 11, "timing/checkpoint_s": 1})"
    "\n"
    R"({"kind": "evaluation", "stage": "reason", "step": 11, "timing/evaluate_s": 2})"
    "\n"
    R"({"kind": "step", "stage": "reason", "step": 12, "timing/step_s": 3, "perf/tokens_per_s": 9})"
    "\n";

TEST(ProgressFromTest, TakesTheLastStepOfTheCurrentStageFromBothFiles) {
  const RunProgress progress = ProgressFrom(kStages, 2, kMetrics, kTiming);
  EXPECT_EQ(progress.current, 1u);
  EXPECT_EQ(progress.run_step, 12);
  EXPECT_EQ(progress.StepsDone(0), 10);
  EXPECT_EQ(progress.StepsDone(1), 2);
  EXPECT_EQ(progress.metrics.at("reward/mean"), 0.75);
  EXPECT_EQ(progress.metrics.at("perf/tokens_per_s"), 9);
  EXPECT_FALSE(progress.metrics.contains("actor/loss")) << "a value that was not finite";
  EXPECT_THAT(progress.history, ElementsAre(0.5, 0.75));
  ASSERT_EQ(progress.evaluations.size(), 1u);
  EXPECT_EQ(progress.evaluations[0].values.at("val/sampled"), 0.25);
}

TEST(ProgressFromTest, TheRestIsTimedByTheStepsEvaluationsAndSavesOfTheStage) {
  // (2 + 1 + 2 + 3) s for two steps, two steps are left.
  EXPECT_DOUBLE_EQ(ProgressFrom(kStages, 2, kMetrics, kTiming).eta_s, 8.0);
}

TEST(ProgressFromTest, AStageThatHasBegunHasNoStepYet) {
  const std::string before = std::string(kMetrics).substr(0, std::string(kMetrics).find("reason"));
  const RunProgress progress = ProgressFrom(kStages, 2, before, "");
  EXPECT_EQ(progress.StepsDone(1), 0);
  EXPECT_EQ(progress.run_step, 10);
  EXPECT_TRUE(progress.metrics.empty());
  EXPECT_LT(progress.eta_s, 0) << "unknown";
}

TEST(ProgressFromTest, LinesOfAnotherFormArePassedOver) {
  const RunProgress progress = ProgressFrom(
      kStages, 1, "[]\n3\n{\"kind\": 7}\n{\"kind\": \"step\", \"step\": \"x\"}\n", "\n");
  EXPECT_EQ(progress.run_step, 0);
}

TEST(HighestNumberTest, TakesOnlyNamesOfTheForm) {
  const auto files = MakeRealFileSystem();
  const std::string folder = testing::TempDir() + "highest_" + std::to_string(getpid());
  EXPECT_EQ(HighestNumber(*files, folder, "step_"), -1);
  for (const char* name : {"step_000004", "step_000012", "step_x", "step_99y", "latest"}) {
    files->MakeDirectories(folder + "/" + name);
  }
  EXPECT_EQ(HighestNumber(*files, folder, "step_"), 12);
  files->RemoveTree(folder);
}

RunStatus SomeStatus() {
  return {.state = RunPhase::kFailed,
          .supervisor = {123, 456789},
          .attempt = 2,
          .started_s = 1'700'000'000,
          .ended_s = 1'700'000'100,
          .exit_code = 74,
          .message = "rank1: disk full\ntrainer: exit code 74",
          .processes = {{.name = "rank0",
                         .identity = {124, 5},
                         .state = ProcessState::kWaiting,
                         .restarts = 3,
                         .detail = "killed"}}};
}

TEST(RunStatusTest, ReadsBackWhatItWrote) {
  EXPECT_EQ(RunStatusFromJson(ToJson(SomeStatus()), "x"), SomeStatus());
}

TEST(RunStatusTest, RefusesAFileOfAnotherForm) {
  for (const char* text : {"", "[]", "{}", R"({"format_version": 9})"}) {
    try {
      RunStatusFromJson(text, "status.json");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData) << text;
      EXPECT_THAT(error.what(), testing::HasSubstr("status.json"));
    }
  }
  std::string text = ToJson(SomeStatus());
  text.replace(text.find("\"failed\""), 8, "\"happy\"");
  EXPECT_THROW(RunStatusFromJson(text, "x"), Error);
}

TEST(ProcessInfoTest, ANumberThatWasUsedAgainIsAnotherProcess) {
  const ProcessIdentity self = IdentityOf(getpid());
  ASSERT_TRUE(ReadLiving(self).has_value());
  EXPECT_GT(ReadLiving(self)->resident_bytes, 100'000u);
  EXPECT_GE(UptimeSeconds(*ReadLiving(self)), 0);
  EXPECT_FALSE(ReadLiving({self.pid, self.start_ticks - 1}).has_value());
  EXPECT_FALSE(ReadLiving({}).has_value());
}

}  // namespace
}  // namespace ponder
