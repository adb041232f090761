#include "trainer/outcomes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/fakes/crash_file_system.h"
#include "core/config/experiment.h"
#include "trainer/evaluation.h"

namespace ponder {
namespace {

const SymbolTokenizer& Letters() {
  static const SymbolTokenizer kTokenizer({"3", "7", "#", "x"}, {"<eos>"}, "<eos>");
  return kTokenizer;
}

// A sample that says `text`.
Trajectory Sample(const std::string& text, bool right, bool truncated = false) {
  Trajectory row;
  row.token_ids = {3};
  for (const uint32_t id : Letters().Encode(text)) row.token_ids.push_back(id);
  if (!truncated) row.token_ids.push_back(Letters().eos_id());
  row.segments = {{0, SegmentKind::kPrompt, 0}, {1, SegmentKind::kSampled, 1}};
  row.finish_reason = truncated ? FinishReason::kLength : FinishReason::kStop;
  SourceReward answer;
  answer.source = "answer";
  answer.value = right ? 1 : 0;
  row.rewards = {answer};
  return row;
}

TrajectoryGroup Group(uint64_t problem, std::vector<Trajectory> rows) {
  TrajectoryGroup group;
  group.lease.prompt.problem = problem;
  group.lease.prompt.reference_answer = "7";
  group.trajectories = std::move(rows);
  return group;
}

std::vector<TrajectoryGroup> SomeGroups() {
  Trajectory greedy = Sample("# 7", true);
  greedy.greedy = true;
  TrajectoryGroup failed = Group(2, {});
  failed.reason = "infrastructure";
  return {Group(0, {Sample("x # 7", true), Sample("# 3", false), Sample("# 7", true),
                    Sample("# 3 # 7", false), greedy}),
          Group(1, {Sample("x", false), Sample("# 3", false), Sample("# 7", false, true),
                    Sample("# 7", true)}),
          failed};
}

TEST(OutcomesTest, CountTheAnswersThatSamplesCommitTo) {
  const std::vector<PromptOutcome> outcomes = OutcomesOf(SomeGroups(), Letters());
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].num_samples, 4);
  EXPECT_EQ(outcomes[0].num_right, 2);
  ASSERT_EQ(outcomes[0].answers.size(), 2U) << "a hedged answer is none";
  EXPECT_EQ(outcomes[0].answers[0].answer, "3");
  EXPECT_EQ(outcomes[0].answers[1].count, 2);
  EXPECT_EQ(outcomes[0].answers[1].num_right, 2);
  EXPECT_EQ(outcomes[0].greedy_right, true);
  EXPECT_EQ(outcomes[1].answers.size(), 2U) << "no answer and a truncated one are none";
  EXPECT_FALSE(outcomes[1].greedy_right.has_value());
  EXPECT_EQ(outcomes[2].num_samples, 0);
  EXPECT_EQ(outcomes[2].failure, "infrastructure");
}

TEST(OutcomesTest, SubsetMetricsAreMeansOverPromptsWithIntervals) {
  const auto metrics = SubsetMetrics(OutcomesOf(SomeGroups(), Letters()));
  // C(4,2) = 6 pairs. Prompt 0 has two right of four, prompt 1 one of four.
  EXPECT_NEAR(metrics.at("val/pass_at_2"), (5.0 / 6 + 3.0 / 6) / 2, 1e-12);
  // Prompt 0: 7,7 wins; 7,3 is a draw in two of six pairs; 7 with the hedged one wins in two.
  // Prompt 1: 7 wins with either silent one, draws with 3.
  EXPECT_NEAR(metrics.at("val/maj_at_2"), ((1 + 1 + 2) / 6.0 + 2.5 / 6.0) / 2, 1e-12);
  EXPECT_NEAR(metrics.at("val/pass_at_4"), 1.0, 1e-12);
  EXPECT_LT(metrics.at("val/maj_at_2_low"), metrics.at("val/maj_at_2"));
  EXPECT_GT(metrics.at("val/maj_at_2_high"), metrics.at("val/maj_at_2"));
}

TEST(OutcomesTest, TheMetricsAreThoseThatTheExperimentNames) {
  EvaluationConfig evaluation;
  evaluation.num_samples = 4;
  evaluation.greedy = true;
  std::map<std::string, double> metrics = EvaluationMetrics(Summarize(SomeGroups()));
  metrics.merge(SubsetMetrics(OutcomesOf(SomeGroups(), Letters())));
  for (const std::string& name : EvaluationMetricNames(evaluation)) {
    EXPECT_TRUE(metrics.contains(name)) << name;
  }
}

TEST(OutcomesTest, WithoutAnySampleThereIsNoMetric) {
  EXPECT_TRUE(SubsetMetrics({PromptOutcome{}}).empty());
  EXPECT_TRUE(SubsetMetrics({}).empty());
}

TEST(OutcomesTest, TheFileHasOneLinePerPrompt) {
  CrashFileSystem files;
  WriteOutcomes(files, "run", "heldout", "reason", OutcomesOf(SomeGroups(), Letters()));
  std::istringstream lines(files.ReadFile("run/outcomes/heldout_after_reason.jsonl", 1 << 20));
  std::vector<nlohmann::json> read;
  for (std::string line; std::getline(lines, line);) read.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].at("num_right"), 2);
  EXPECT_EQ(read[0].at("answers").at(1).at("answer"), "7");
  EXPECT_EQ(read[2].at("failure"), "infrastructure");
}

}  // namespace
}  // namespace ponder
