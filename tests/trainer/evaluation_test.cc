#include "trainer/evaluation.h"

#include <gtest/gtest.h>

namespace ponder {
namespace {

Trajectory Row(uint32_t sample, double reward, bool greedy = false) {
  Trajectory row;
  row.sample_index = sample;
  row.greedy = greedy;
  row.token_ids = {1, 2, 3};
  row.segments = {{0, SegmentKind::kPrompt, 0}, {1, SegmentKind::kSampled, 1}};
  SourceReward answer;
  answer.source = "answer";
  answer.value = reward;
  row.rewards = {answer};
  return row;
}

TrajectoryGroup Group(std::vector<Trajectory> rows) {
  TrajectoryGroup group;
  group.trajectories = std::move(rows);
  return group;
}

TEST(WilsonIntervalTest, MatchesPublishedValues) {
  const Interval interval = WilsonInterval(/*successes=*/192, /*trials=*/256);
  EXPECT_NEAR(interval.low, .693524, 1e-6);
  EXPECT_NEAR(interval.high, .799084, 1e-6);
  EXPECT_NEAR(WilsonInterval(243, 256).low, .915068, 1e-6);
  EXPECT_NEAR(WilsonInterval(512, 1024).high, .530568, 1e-6);
}

TEST(ClusteredIntervalTest, IsWiderWhenSamplesOfAPromptAgree) {
  // Two prompts in four right by all samples: as uncertain as four coin flips, not as sixteen.
  const Interval agree = ClusteredInterval({1.0, 1.0, 0.0, 0.0});
  const Interval mixed = ClusteredInterval({0.5, 0.5, 0.5, 0.25});
  EXPECT_GT(agree.high - agree.low, mixed.high - mixed.low);
  EXPECT_DOUBLE_EQ(agree.value, 0.5);
}

TEST(SummarizeTest, CountsSampledGreedyAndFailedRowsApart) {
  const std::vector<TrajectoryGroup> groups = {
      Group({Row(0, 1.0), Row(1, 0.0), Row(2, 1.0, /*greedy=*/true)}),
      Group({Row(0, 1.0), Row(1, 1.0), Row(2, 0.0, /*greedy=*/true)}),
      Group({}),
  };
  const EvaluationSummary summary = Summarize(groups);
  EXPECT_EQ(summary.num_prompts, 2u);
  EXPECT_EQ(summary.failed_groups, 1u);
  EXPECT_DOUBLE_EQ(summary.sampled.value, 0.75);
  EXPECT_DOUBLE_EQ(summary.greedy.value, 0.5);
  EXPECT_DOUBLE_EQ(summary.response_length, 2.0);
}

TEST(SummarizeTest, SaysNoShareWhereNothingWasAnswered) {
  const auto metrics = EvaluationMetrics(Summarize({Group({}), Group({})}));
  EXPECT_EQ(metrics.at("val/failed_groups"), 2.0);
  EXPECT_EQ(metrics.count("val/sampled"), 0u) << "a failure to answer is not a share of 0";
  EXPECT_EQ(metrics.count("val/greedy"), 0u);
}

TEST(SummarizeTest, GivesSingleSamplesWilsonsInterval) {
  std::vector<TrajectoryGroup> groups;
  for (int i = 0; i < 256; ++i) groups.push_back(Group({Row(0, i < 192 ? 1.0 : 0.0)}));
  const EvaluationSummary summary = Summarize(groups);
  EXPECT_NEAR(summary.sampled.low, .693524, 1e-6);
  EXPECT_NEAR(summary.sampled.high, .799084, 1e-6);
}

}  // namespace
}  // namespace ponder
