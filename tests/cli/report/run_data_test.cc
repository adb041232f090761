#include "cli/report/run_data.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "cli/report/stage_panels.h"
#include "core/base/error.h"
#include "tests/cli/report/synthetic_run.h"

namespace ponder::report {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunDataTest : public ::testing::Test {
 protected:
  RunDataTest() : files_(MakeRealFileSystem()) {
    std::string pattern = ::testing::TempDir() + "ponder_report_XXXXXX";
    parent_ = mkdtemp(pattern.data());
  }
  ~RunDataTest() override { std::filesystem::remove_all(parent_); }

  static void Append(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
  }

  std::unique_ptr<FileSystem> files_;
  std::string parent_;
};

TEST_F(RunDataTest, SortsLinesIntoStagesAndCountsStepsInThem) {
  const RunData run = ReadRun(*files_, WriteSyntheticRun(parent_, {}) + "/");
  EXPECT_EQ(run.name, "synthetic");
  EXPECT_THAT(run.notes, IsEmpty());
  ASSERT_EQ(run.stages.size(), 3u);
  EXPECT_EQ(run.stages[2].name, "reason");
  EXPECT_EQ(run.stages[2].algorithm, "grpo");
  EXPECT_EQ(run.stages[2].steps_before, 60u);
  EXPECT_EQ(run.stages[2].num_steps, 30u);
  const Series& reward = run.stages[2].metrics.at("reward/mean");
  EXPECT_EQ(reward.step.front(), 1);
  EXPECT_EQ(reward.step.back(), 30);
  EXPECT_EQ(run.stages[2].evaluations.at("heldout").size(), 3u);
  EXPECT_TRUE(run.stages[2].evaluations.at("final").back().at_stage_end);
  EXPECT_EQ(run.stages[2].lengths.size(), 30u);
  EXPECT_EQ(run.stages[2].timing.at("timing/step_s").size(), 30u);
  EXPECT_DOUBLE_EQ(run.stages[2].evaluate_s, 6.0);
}

TEST_F(RunDataTest, LeavesOutATornLineAndDamagedOnesAndSaysHowMany) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  Append(folder + "/metrics.jsonl", "not json\n[1, 2]\n\n{\"kind\": \"step\", \"stage\": \"rea");
  const RunData run = ReadRun(*files_, folder);
  EXPECT_EQ(run.stages[2].num_steps, 30u);
  EXPECT_THAT(run.notes,
              ElementsAre("metrics.jsonl: 2 damaged lines were left out, and the last line is torn "
                          "(the run was killed, or is being written)"));
}

TEST_F(RunDataTest, LeavesOutLinesWhoseStepMakesNoSense) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  Append(folder + "/metrics.jsonl",
         "{\"kind\": \"step\", \"stage\": \"reason\", \"step\": 3, \"reward/mean\": 9}\n"
         "{\"kind\": \"step\", \"stage\": \"reason\", \"step\": 61, \"reward/mean\": 9}\n"
         "{\"kind\": \"step\", \"stage\": \"reason\", \"step\": \"x\", \"reward/mean\": 9}\n");
  const RunData run = ReadRun(*files_, folder);
  EXPECT_EQ(run.stages[2].metrics.at("reward/mean").size(), 30u);
  EXPECT_THAT(run.notes, Contains(HasSubstr("3 lines were left out")));
}

TEST_F(RunDataTest, TakesNullForAValueThatWasNotFinite) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  Append(folder + "/metrics.jsonl",
         "{\"kind\": \"step\", \"stage\": \"reason\", \"step\": 91, \"actor/loss\": null}\n");
  const RunData run = ReadRun(*files_, folder);
  EXPECT_TRUE(std::isnan(run.stages[2].metrics.at("actor/loss").value.back()));
}

TEST_F(RunDataTest, ReportsARunWhoseConfigurationItCannotRead) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  std::ofstream(folder + "/config.resolved.yaml") << "config_version: 99\n";
  const RunData run = ReadRun(*files_, folder);
  EXPECT_FALSE(run.config.has_value());
  EXPECT_EQ(run.name, "synthetic") << "by its folder";
  EXPECT_EQ(run.stages.size(), 3u);
  EXPECT_THAT(run.notes, Contains(HasSubstr("cannot be read by this release")));
}

TEST_F(RunDataTest, RefusesAFolderThatHoldsNoRun) {
  for (const std::string& folder : {parent_, parent_ + "/missing"}) {
    try {
      ReadRun(*files_, folder);
      FAIL() << folder << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData);
      EXPECT_THAT(error.what(), HasSubstr("reading run " + folder));
    }
  }
}

TEST_F(RunDataTest, ReadsTranscriptsOfTrainingAndEvaluationInTheOrderOfTheRun) {
  RunData run = ReadRun(*files_, WriteSyntheticRun(parent_, {}));
  ReadTranscripts(*files_, /*max_tokens=*/100000, &run);
  EXPECT_THAT(run.notes, IsEmpty());
  // Five steps with one prompt each, and four prompts of the evaluation, four samples of each.
  ASSERT_EQ(run.transcripts.size(), 5u * 4u + 4u * 4u);
  EXPECT_EQ(run.transcripts.front().stage_step, 1u);
  EXPECT_EQ(run.transcripts.back().set, "final");
  EXPECT_EQ(run.transcripts.front().tokens.front().text, "3");
  EXPECT_NEAR(*run.transcripts.front().tokens[3].logprob, -1.45, 0.1);
  EXPECT_EQ(run.transcripts.front().rewards, "answer 1 (equal)");
}

TEST_F(RunDataTest, StopsAtTheLimitOfTokensAndSaysSo) {
  RunData run = ReadRun(*files_, WriteSyntheticRun(parent_, {}));
  ReadTranscripts(*files_, /*max_tokens=*/100, &run);
  EXPECT_EQ(run.transcripts.size(), 6u);
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("30 long transcripts are not on this page")));
}

TEST_F(RunDataTest, CallsRunsOfOneNameByTheirFolders) {
  RunData a;
  a.name = "x";
  a.folder = "runs/x";
  RunData b = a;
  b.folder = "old/x";
  EXPECT_THAT(RunLabels({a, b}), ElementsAre("runs/x", "old/x"));
}

}  // namespace
}  // namespace ponder::report
