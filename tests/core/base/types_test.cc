#include "core/base/types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace ponder {
namespace {

Trajectory Sample() {
  Trajectory trajectory;
  trajectory.ordinal = 7;
  trajectory.sample_index = 1;
  trajectory.token_ids = {3, 4, 5, 6, 7};
  trajectory.segments = {{0, SegmentKind::kPrompt, 2},
                         {2, SegmentKind::kSampled, 2},
                         {3, SegmentKind::kObservation, 2},
                         {4, SegmentKind::kSampled, 3}};
  trajectory.behavior_logprobs = {0, 0, -0.5F, 0, -0.25F};
  trajectory.processed_logprobs = {0, 0, -0.25F, 0, -0.125F};
  trajectory.step_ends = {2, 4};
  SourceReward answer;
  answer.source = "answer";
  answer.value = 1;
  answer.weight = 0.75;
  answer.rule = "equal";
  answer.step_values = {0.5F, 1};
  SourceReward format;
  format.source = "format";
  format.value = -2;
  format.weight = 0.125;
  format.token_values = {0, 0, 1, 0, 1};
  trajectory.rewards = {answer, format};
  return trajectory;
}

TEST(Trajectory, SumsWeightTimesValueOverItsSources) {
  EXPECT_EQ(Sample().TotalReward(), 0.75 * 1 + 0.125 * -2);
  EXPECT_EQ(Trajectory().TotalReward(), 0.0);
}

TEST(Trajectory, CountsTheTokensOfSampledSegmentsOnly) {
  EXPECT_EQ(Sample().NumSampledTokens(), 2u);
  Trajectory trajectory = Sample();
  trajectory.segments = {{0, SegmentKind::kPrompt, 2}, {2, SegmentKind::kSampled, 2}};
  EXPECT_EQ(trajectory.NumSampledTokens(), 3u);
  trajectory.segments = {{0, SegmentKind::kForced, 2}};
  EXPECT_EQ(trajectory.NumSampledTokens(), 0u);
}

TEST(SamplingParams, CountsTheGreedyRow) {
  EXPECT_EQ((SamplingParams{.num_samples = 4, .add_greedy = false}.num_rows()), 4u);
  EXPECT_EQ((SamplingParams{.num_samples = 4, .add_greedy = true}.num_rows()), 5u);
}

TEST(DigestOf, IsThatOfTheFieldsInOrderWithTheirLengths) {
  // Frozen, from an independent packing of the same fields in little-endian: runs on different
  // machines compare their trajectories by it.
  EXPECT_EQ(DigestOf({}), "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
  EXPECT_EQ(DigestOf({Sample()}),
            "bae23a3eeca505af69dd00465fbafdc09f288a9dc11eeb2c50015b630da9e4ce");
}

TEST(DigestOf, ChangesWithEverythingThatTrainingOrMetricsSee) {
  const std::vector<std::function<void(Trajectory&)>> changes{
      [](Trajectory& t) { t.ordinal = 8; },
      [](Trajectory& t) { t.sample_index = 2; },
      [](Trajectory& t) { t.greedy = true; },
      [](Trajectory& t) { t.token_ids[4] = 8; },
      [](Trajectory& t) { t.token_ids.push_back(0); },
      [](Trajectory& t) { t.segments[1].begin = 1; },
      [](Trajectory& t) { t.segments[1].kind = SegmentKind::kForced; },
      [](Trajectory& t) { t.segments[1].version = 3; },
      [](Trajectory& t) { t.segments.pop_back(); },
      [](Trajectory& t) {
        t.behavior_logprobs[2] =
            std::nextafter(t.behavior_logprobs[2], -std::numeric_limits<float>::infinity());
      },
      [](Trajectory& t) { t.behavior_logprobs[0] = -0.0F; },
      [](Trajectory& t) { t.processed_logprobs.clear(); },
      [](Trajectory& t) { t.temperature = 0.5F; },
      [](Trajectory& t) { t.finish_reason = FinishReason::kLength; },
      [](Trajectory& t) { t.step_ends = {2}; },
      // The same numbers, divided otherwise between two arrays.
      [](Trajectory& t) {
        t.rewards[0].token_values = t.rewards[0].step_values;
        t.rewards[0].step_values.clear();
      },
      [](Trajectory& t) { t.rewards[0].value = 0; },
      [](Trajectory& t) { t.rewards[0].weight = 1; },
      [](Trajectory& t) { t.rewards[0].rule = "no answer"; },
      [](Trajectory& t) { t.rewards[0].verdict = VerdictKind::kRefused; },
      [](Trajectory& t) { std::swap(t.rewards[0], t.rewards[1]); },
      // The same letters, divided otherwise between two texts.
      [](Trajectory& t) {
        t.rewards[0].source = "answere";
        t.rewards[0].rule = "qual";
      },
  };
  std::set<std::string> digests{DigestOf({Sample()})};
  for (size_t i = 0; i < changes.size(); ++i) {
    Trajectory changed = Sample();
    changes[i](changed);
    EXPECT_TRUE(digests.insert(DigestOf({changed})).second) << "change " << i << " is not seen";
  }
}

TEST(DigestOf, DependsOnTheOrderOfTrajectories) {
  Trajectory other = Sample();
  other.sample_index = 2;
  EXPECT_NE(DigestOf({Sample(), other}), DigestOf({other, Sample()}));
}

TEST(DigestOf, DoesNotSeeWhoMadeAGroupAndHowOften) {
  TrajectoryGroup first;
  first.trajectories = {Sample()};
  TrajectoryGroup second = first;
  second.lease.try_number = 3;
  second.lease.lease_id = 99;
  second.lease.model.attempt = 2;
  second.worker = "another";
  second.generate_s = 1.5;
  second.score_s = 0.5;
  EXPECT_EQ(DigestOf(first.trajectories), DigestOf(second.trajectories));
}

}  // namespace
}  // namespace ponder
