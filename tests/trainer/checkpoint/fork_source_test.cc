#include "trainer/checkpoint/fork_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "tests/core/config/test_experiments.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

// Run "demo" below "runs", with the stages imitate and reason.
class ForkSourceTest : public ::testing::Test {
 protected:
  ForkSourceTest() {
    files_.MakeDirectories("runs/demo");
    WriteFileAtomically(files_, "runs/demo/config.resolved.yaml",
                        ResolvedYaml(ParseExperiment(std::string(kValidExperiment), "x", {})));
  }

  void SaveStep(int64_t step, uint64_t stage_index, bool stage_complete) {
    CheckpointWriter writer(files_, "runs/demo/checkpoints", {.keep = 3, .unique = "a1-1"});
    writer.Begin(step);
    writer.AddFile("policy/model.safetensors", "weights of step " + std::to_string(step));
    RunState state;
    state.run_step = step;
    state.stage_index = stage_index;
    state.stage_complete = stage_complete;
    writer.AddFile("state.json", state.ToJson());
    Manifest manifest;
    manifest.step = step;
    manifest.world_size = 1;
    manifest.config_digest = Sha256Hex("config");
    writer.Commit(manifest);
  }

  void PinStartOf(const std::string& stage, int64_t step) {
    StageStartWriter writer(files_, "runs/demo/stages/" + stage, "a1-1");
    writer.AddFile("policy/model.safetensors", "weights at the start of " + stage);
    Manifest manifest;
    manifest.step = step;
    manifest.world_size = 1;
    manifest.config_digest = Sha256Hex("config");
    writer.Commit(manifest);
  }

  std::string WeightsOf(const ModelInit& init) {
    return LoadForkSource(files_, "runs", init).File("policy/model.safetensors");
  }

  std::string ProblemOf(const ModelInit& init) {
    try {
      LoadForkSource(files_, "runs", init);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return {};
  }

  CrashFileSystem files_;
};

TEST_F(ForkSourceTest, AStepIsThatCheckpoint) {
  SaveStep(4, 0, false);
  SaveStep(8, 0, false);
  EXPECT_EQ(WeightsOf({.preset = "", .run = "demo", .step = 4, .stage = ""}), "weights of step 4");
}

TEST_F(ForkSourceTest, AStageIsWhatTheNextOneBeganWith) {
  PinStartOf("imitate", 0);
  PinStartOf("reason", 10);
  EXPECT_EQ(WeightsOf({.preset = "", .run = "demo", .step = -1, .stage = "imitate"}),
            "weights at the start of reason");
}

TEST_F(ForkSourceTest, TheLastStageIsTheCheckpointThatEndsTheRun) {
  SaveStep(20, 1, false);
  SaveStep(30, 1, true);
  EXPECT_EQ(WeightsOf({.preset = "", .run = "demo", .step = -1, .stage = "reason"}),
            "weights of step 30");
}

TEST_F(ForkSourceTest, AStageThatRunsStillIsRefused) {
  PinStartOf("imitate", 0);
  SaveStep(4, 0, false);
  EXPECT_THAT(ProblemOf({.preset = "", .run = "demo", .step = -1, .stage = "imitate"}),
              HasSubstr("stage 'imitate' has not ended yet"));
  SaveStep(20, 1, false);
  EXPECT_THAT(ProblemOf({.preset = "", .run = "demo", .step = -1, .stage = "reason"}),
              HasSubstr("stage 'reason' has not ended yet; of its checkpoints 'step: N' takes one; "
                        "it has 4, 20"));
}

TEST_F(ForkSourceTest, WhatDoesNotExistIsAnsweredWithWhatDoes) {
  SaveStep(4, 0, false);
  SaveStep(8, 0, false);
  EXPECT_THAT(ProblemOf({.preset = "", .run = "dem", .step = 4, .stage = ""}),
              HasSubstr("there is no such run in runs; did you mean 'demo'?"));
  EXPECT_THAT(ProblemOf({.preset = "", .run = "demo", .step = 5, .stage = ""}),
              HasSubstr("expected a checkpoint of step 5, got none; it has 4, 8"));
  EXPECT_THAT(ProblemOf({.preset = "", .run = "demo", .step = -1, .stage = "reson"}),
              HasSubstr("there is no stage 'reson'; did you mean 'reason'?"));
}

TEST_F(ForkSourceTest, TheOtherRunIsOnlyRead) {
  SaveStep(4, 0, false);
  files_.MakeDirectories("runs/demo/checkpoints/.tmp-step_000008-a1-1");
  const size_t before = files_.operations().size();
  WeightsOf({.preset = "", .run = "demo", .step = 4, .stage = ""});
  EXPECT_EQ(files_.operations().size(), before);
}

}  // namespace
}  // namespace ponder
