#include "trainer/checkpoint/run_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/resume.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kRun = "runs/demo";

class RunCheckpointsTest : public ::testing::Test {
 protected:
  void Save(int64_t step, std::optional<int64_t> best = std::nullopt) {
    RunState state;
    state.run_step = step;
    if (best) state.best = {"heldout val/sampled max", 0.5, *best};
    CheckpointWriter writer(files_, std::string(kRun) + "/checkpoints",
                            {.keep = 10, .unique = "a1-1"});
    writer.Begin(step);
    writer.AddFile(kStateFile, state.ToJson());
    writer.Commit({});
  }
  int64_t Load(int64_t step) {
    return LoadCheckpointOf(files_, kRun, step,
                            [this](const std::string& directory, const std::string&) {
                              passed_over_.push_back(directory);
                            })
        .manifest.step;
  }
  std::string Refusal(int64_t step) {
    try {
      Load(step);
    } catch (const CheckpointError& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData);
      return error.what();
    }
    return "loaded";
  }

  CrashFileSystem files_;
  std::vector<std::string> passed_over_;
};

TEST_F(RunCheckpointsTest, LoadsTheNewestTheBestOrAStep) {
  Save(20);
  Save(40, /*best=*/40);
  Save(60, /*best=*/40);
  EXPECT_EQ(Load(kNewestStep), 60);
  EXPECT_EQ(Load(kBestStep), 40);
  EXPECT_EQ(Load(20), 20);
}

TEST_F(RunCheckpointsTest, TheNewestIsTheNewestThatVerifies) {
  Save(20);
  Save(40);
  files_.Create(std::string(kRun) + "/checkpoints/step_000040/state.json")->Append("{}");
  EXPECT_EQ(Load(kNewestStep), 20);
  EXPECT_THAT(passed_over_, ElementsAre(HasSubstr("step_000040")));
  EXPECT_THAT(Refusal(40), HasSubstr("state.json")) << "a step that is asked for is not replaced";
}

TEST_F(RunCheckpointsTest, SaysWhatThereIsWhenAStepIsNot) {
  EXPECT_THAT(Refusal(kNewestStep), HasSubstr("expected a checkpoint"));
  EXPECT_THAT(Refusal(40), HasSubstr("those that it has are of steps none"));
  Save(20);
  Save(60);
  EXPECT_THAT(Refusal(40), HasSubstr("step 40; those that it has are of steps 20, 60"));
}

TEST_F(RunCheckpointsTest, SaysWhyThereIsNoBest) {
  Save(20);
  EXPECT_THAT(Refusal(kBestStep), HasSubstr("checkpoint.best says which evaluation decides"));
  Save(40, /*best=*/30);
  EXPECT_THAT(Refusal(kBestStep), HasSubstr("step 30, the best by heldout val/sampled max"));
}

}  // namespace
}  // namespace ponder
