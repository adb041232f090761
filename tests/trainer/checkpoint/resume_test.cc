// Where a start goes on from, over checkpoints and pinned starts that are whole, damaged or absent.
#include "trainer/checkpoint/resume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "trainer/checkpoint/checkpoint_writer.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRun = "runs/quick";
constexpr const char* kMetrics = "one line\n";

ExperimentConfig TwoStages() {
  ExperimentConfig config;
  config.stages.resize(2);
  config.stages[0].name = "imitate";
  config.stages[0].num_steps = 2;
  config.stages[1].name = "reason";
  config.stages[1].num_steps = 4;
  return config;
}

RunState StateAt(uint64_t stage_index, int64_t stage_step, int64_t run_step) {
  RunState state;
  state.stage_index = stage_index;
  state.stage_step = stage_step;
  state.run_step = run_step;
  state.metrics_bytes = std::string_view(kMetrics).size();
  state.metrics_sha256 = Sha256Hex(kMetrics);
  return state;
}

class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() {
    files_.MakeDirectories(kRun);
    files_.Create(std::string(kRun) + "/metrics.jsonl")->Append(kMetrics);
  }

  void Save(const RunState& state) {
    CheckpointWriter writer(files_, std::string(kRun) + "/checkpoints",
                            {.keep = 9, .unique = "a1-1"});
    writer.Begin(state.run_step);
    writer.AddFile(kStateFile, state.ToJson());
    writer.Commit({});
  }

  void SaveStart(const std::string& stage, const RunState& state) {
    StageStartWriter writer(files_, std::string(kRun) + "/stages/" + stage, "a1-1");
    writer.AddFile(kStateFile, state.ToJson());
    writer.Commit({});
  }

  void Damage(const std::string& saved) {
    files_.Create(std::string(kRun) + "/" + saved + "/" + kStateFile)->Append("{}");
  }

  // The folder below the run that a start would take; "" for a new run.
  std::string Find() {
    passed_over_.clear();
    const auto found = FindResumePoint(
        files_, kRun, TwoStages(), [this](const std::string& directory, const std::string& why) {
          EXPECT_THAT(why, HasSubstr(kStateFile));
          passed_over_.push_back(directory.substr(std::string(kRun).size() + 1));
        });
    return found ? found->directory.substr(std::string(kRun).size() + 1) : "";
  }

  std::string Refusal() {
    try {
      Find();
    } catch (const CheckpointError& error) {
      EXPECT_EQ(error.exit_code(), 65);
      return error.what();
    }
    return "nothing was refused";
  }

  CrashFileSystem files_;
  std::vector<std::string> passed_over_;
};

TEST_F(ResumeTest, ANewRunHasNothingToGoOnFrom) {
  EXPECT_EQ(Find(), "");
  EXPECT_THAT(passed_over_, IsEmpty());
}

TEST_F(ResumeTest, TakesTheFurthestOfCheckpointsAndStageStarts) {
  SaveStart("imitate", StateAt(0, 0, 0));
  EXPECT_EQ(Find(), "stages/imitate/start");
  Save(StateAt(0, 1, 1));
  EXPECT_EQ(Find(), "checkpoints/step_000001");
  SaveStart("reason", StateAt(1, 0, 2));
  EXPECT_EQ(Find(), "stages/reason/start");
  Save(StateAt(1, 3, 5));
  EXPECT_EQ(Find(), "checkpoints/step_000005");
  EXPECT_THAT(passed_over_, IsEmpty());
}

TEST_F(ResumeTest, PassesOverWhatIsDamagedAndSaysSo) {
  SaveStart("reason", StateAt(1, 0, 2));
  Save(StateAt(1, 1, 3));
  Save(StateAt(1, 2, 4));
  Damage("checkpoints/step_000004");
  EXPECT_EQ(Find(), "checkpoints/step_000003");
  EXPECT_THAT(passed_over_, ElementsAre("checkpoints/step_000004"));
  Damage("stages/reason/start");
  EXPECT_EQ(Find(), "checkpoints/step_000003");
  EXPECT_THAT(passed_over_, ElementsAre("checkpoints/step_000004", "stages/reason/start"));
}

TEST_F(ResumeTest, RefusesWhenNothingVerifies) {
  SaveStart("imitate", StateAt(0, 0, 0));
  Damage("stages/imitate/start");
  EXPECT_THAT(Refusal(), HasSubstr("stages/imitate/start"));
  Save(StateAt(0, 1, 1));
  Damage("checkpoints/step_000001");
  EXPECT_THAT(Refusal(), HasSubstr("none verifies"));
}

TEST_F(ResumeTest, RefusesMetricsThatAreNotTheRunsOwn) {
  Save(StateAt(0, 1, 1));
  files_.Create(std::string(kRun) + "/metrics.jsonl")->Append("ONE line\n");
  EXPECT_THAT(Refusal(), HasSubstr("changed since the save"));
}

TEST_F(ResumeTest, RefusesAStageThatTheExperimentLacks) {
  Save(StateAt(2, 1, 7));
  EXPECT_THAT(Refusal(), HasSubstr("expected one of the 2 stages"));
}

TEST_F(ResumeTest, ChangesNothing) {
  Save(StateAt(0, 1, 1));
  files_.MakeDirectories(std::string(kRun) + "/checkpoints/.tmp-step_000002-a1-1");
  const size_t before = files_.operations().size();
  Find();
  EXPECT_EQ(files_.operations().size(), before);
}

TEST(EnterOpenStageTest, GoesOnInAnUnfinishedStageAndEntersTheNextOneAfterAFinishedOne) {
  const ExperimentConfig config = TwoStages();
  RunState state = StateAt(0, 1, 1);
  EXPECT_TRUE(EnterOpenStage(config, &state));
  EXPECT_EQ(state.stage_index, 0u);
  EXPECT_EQ(state.stage_step, 1);

  state = StateAt(0, 2, 2);
  EXPECT_TRUE(EnterOpenStage(config, &state)) << "its evaluations are not done";
  EXPECT_EQ(state.stage_index, 0u);

  state.stage_complete = true;
  EXPECT_TRUE(EnterOpenStage(config, &state));
  EXPECT_EQ(state.stage_index, 1u);
  EXPECT_EQ(state.stage_step, 0);
  EXPECT_FALSE(state.stage_complete);
}

TEST(EnterOpenStageTest, AFinishedRunGoesOnOnlyWhenItsLastStageGotMoreSteps) {
  ExperimentConfig config = TwoStages();
  RunState state = StateAt(1, 4, 6);
  state.stage_complete = true;
  EXPECT_FALSE(EnterOpenStage(config, &state));
  config.stages[1].num_steps = 5;
  EXPECT_TRUE(EnterOpenStage(config, &state));
  EXPECT_EQ(state.stage_index, 1u);
  EXPECT_EQ(state.stage_step, 4);
  config.stages[1].num_steps = 3;
  EXPECT_THROW(EnterOpenStage(config, &state), ConfigError) << "fewer than are done";
}

}  // namespace
}  // namespace ponder
