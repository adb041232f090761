#include "trainer/algorithms/grpo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/trainer/algorithms/toy_task.h"

namespace ponder {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kPromptTokens = 2;

// A prompt of two tokens, then `num_sampled` sampled ones.
Trajectory MakeTrajectory(uint64_t ordinal, uint32_t sample, uint32_t num_sampled, double reward) {
  Trajectory trajectory;
  trajectory.ordinal = ordinal;
  trajectory.sample_index = sample;
  trajectory.token_ids.assign(kPromptTokens + num_sampled, sample);
  trajectory.segments = {{.begin = 0, .kind = SegmentKind::kPrompt, .version = 0},
                         {.begin = kPromptTokens, .kind = SegmentKind::kSampled, .version = 1}};
  trajectory.behavior_logprobs.assign(kPromptTokens + num_sampled, 0.0F);
  for (uint32_t t = 0; t < num_sampled; ++t) {
    trajectory.behavior_logprobs[kPromptTokens + t] = -0.25F * static_cast<float>(t + 1);
  }
  trajectory.temperature = 0.8F;
  trajectory.rewards = {{.source = "answer",
                         .verdict = VerdictKind::kScored,
                         .value = reward,
                         .weight = 1.0,
                         .rule = "equal",
                         .step_values = {},
                         .token_values = {}}};
  return trajectory;
}

struct Answer {
  uint32_t length;
  double reward;
};

TrajectoryGroup MakeGroup(uint64_t ordinal, const std::vector<Answer>& answers) {
  TrajectoryGroup group;
  for (const Answer& answer : answers) {
    group.trajectories.push_back(MakeTrajectory(
        ordinal, static_cast<uint32_t>(group.trajectories.size()), answer.length, answer.reward));
  }
  return group;
}

double WeightSum(const Minibatch& minibatch) {
  double sum = 0;
  for (const ExampleUnit& unit : minibatch) {
    for (const Example& example : unit.sequences) {
      for (const double weight : example.weight) sum += weight;
    }
  }
  return sum;
}

class GrpoTest : public testing::Test {
 protected:
  GrpoTest() {
    stage_.name = "reason";
    stage_.algorithm = "grpo";
    stage_.task = task_name_;
    stage_.advantage_std = "none";
    stage_.rollout.max_new_tokens = 10;
    stage_.clip = {.low = 0.2, .high = 0.28};
  }
  std::unique_ptr<Algorithm> Make() const {
    return MakeAlgorithm({experiment_, stage_, task_, task_name_, 1});
  }
  std::vector<Minibatch> Build(std::vector<TrajectoryGroup> groups) {
    StepInput input;
    input.groups = std::move(groups);
    return Build(input);
  }
  std::vector<Minibatch> Build(const StepInput& input) {
    metrics_.clear();
    return Make()->BuildExamples(input, &metrics_);
  }

  ExperimentConfig experiment_;
  StageConfig stage_;
  ToyTask task_;
  std::string task_name_ = "toy";
  std::map<std::string, double> metrics_;
};

TEST_F(GrpoTest, SampledTokensCarryTheAdvantageOfTheirAnswerAndOneWeightForAll) {
  const std::vector<Minibatch> minibatches = Build({MakeGroup(5, {{3, 1.0}, {1, 0.0}})});
  ASSERT_EQ(minibatches.size(), 1U);
  ASSERT_EQ(minibatches[0].size(), 2U);
  const Example& right = minibatches[0][0].sequences[0];
  EXPECT_EQ(right.ordinal, 5U);
  EXPECT_EQ(right.sample_index, 0U);
  EXPECT_EQ(right.temperature, 0.8F);
  EXPECT_THAT(right.sampled, ElementsAre(0, 0, 1, 1, 1));
  EXPECT_THAT(right.advantage, ElementsAre(0, 0, .5, .5, .5));
  EXPECT_THAT(right.weight, ElementsAre(0, 0, .25, .25, .25));
  EXPECT_THAT(right.behavior_logprob, ElementsAre(0, 0, -.25, -.5, -.75));
  EXPECT_THAT(right.old_logprob, IsEmpty());
  const Example& wrong = minibatches[0][1].sequences[0];
  EXPECT_THAT(wrong.advantage, ElementsAre(0, 0, -.5));
  EXPECT_THAT(wrong.weight, ElementsAre(0, 0, .25));
}

TEST_F(GrpoTest, ObservedAndForcedTokensAreNotTrainedOnAndDoNotCount) {
  TrajectoryGroup group = MakeGroup(1, {{4, 1.0}, {2, 0.0}});
  // Tokens 3 and 4 of the first answer came from a tool.
  group.trajectories[0].segments.push_back(
      {.begin = 3, .kind = SegmentKind::kObservation, .version = 0});
  group.trajectories[0].segments.push_back(
      {.begin = 5, .kind = SegmentKind::kSampled, .version = 1});
  const Minibatch minibatch = Build({group})[0];
  EXPECT_THAT(minibatch[0].sequences[0].weight, ElementsAre(0, 0, .25, 0, 0, .25));
  EXPECT_THAT(minibatch[1].sequences[0].weight, ElementsAre(0, 0, .25, .25));
}

TEST_F(GrpoTest, GreedyRowsAreNeverTrainedOnNorCompared) {
  TrajectoryGroup group = MakeGroup(1, {{2, 1.0}, {2, 0.0}, {9, 1.0}});
  group.trajectories[2].greedy = true;
  const Minibatch minibatch = Build({group})[0];
  ASSERT_EQ(minibatch.size(), 2U);
  EXPECT_THAT(minibatch[0].sequences[0].advantage, ElementsAre(0, 0, .5, .5));
  EXPECT_NEAR(WeightSum(minibatch), 1.0, 1e-15);
  EXPECT_EQ(metrics_.at("response_length/max"), 2.0);
  EXPECT_EQ(metrics_.at("reward/mean"), 0.5);
}

TEST_F(GrpoTest, AZeroVarianceGroupCountsInTheDenominatorButGetsNoForward) {
  const Minibatch minibatch =
      Build({MakeGroup(1, {{3, 1.0}, {1, 0.0}}), MakeGroup(2, {{6, 1.0}, {6, 1.0}})})[0];
  ASSERT_EQ(minibatch.size(), 2U);
  EXPECT_NEAR(minibatch[0].sequences[0].weight[2], 1.0 / 16, 1e-17);
  EXPECT_NEAR(WeightSum(minibatch), 4.0 / 16, 1e-15);
  EXPECT_EQ(metrics_.at("reward/zero_variance_groups"), 0.5);
}

TEST_F(GrpoTest, AStepOfZeroVarianceGroupsStillHasItsMinibatches) {
  stage_.num_minibatches = 2;
  const std::vector<Minibatch> minibatches =
      Build({MakeGroup(1, {{3, 1.0}, {1, 1.0}}), MakeGroup(2, {{6, 0.0}, {6, 0.0}})});
  EXPECT_THAT(minibatches, ElementsAre(IsEmpty(), IsEmpty()));
}

TEST_F(GrpoTest, EachAggregationGivesItsWeights) {
  const auto weights_of = [&](const char* aggregation) {
    stage_.aggregation = aggregation;
    const Minibatch minibatch = Build({MakeGroup(1, {{4, 1.0}, {1, 0.0}})})[0];
    return std::pair(minibatch[0].sequences[0].weight.back(),
                     minibatch[1].sequences[0].weight.back());
  };
  EXPECT_EQ(weights_of("token_mean"), std::pair(1.0 / 5, 1.0 / 5));
  EXPECT_EQ(weights_of("sequence_mean_token_mean"), std::pair(1.0 / 8, 1.0 / 2));
  EXPECT_EQ(weights_of("sequence_mean_token_sum"), std::pair(1.0 / 2, 1.0 / 2));
  EXPECT_EQ(weights_of("constant_length"), std::pair(1.0 / 20, 1.0 / 20));
}

TEST_F(GrpoTest, TheGroupDeviationDividesTheAdvantages) {
  stage_.advantage_std = "group";
  const Minibatch minibatch = Build({MakeGroup(1, {{1, .5}, {1, 1}, {1, 0}, {1, .25}})})[0];
  const double expected[] = {.146384668, 1.317462013, -1.024692677, -.439154004};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(minibatch[i].sequences[0].advantage.back(), expected[i], 1e-8);
  }
}

TEST_F(GrpoTest, MinibatchesAreConsecutivePromptsWithDenominatorsOfTheirOwn) {
  stage_.num_minibatches = 2;
  StepInput input;
  for (uint64_t ordinal = 0; ordinal < 5; ++ordinal) {
    input.groups.push_back(MakeGroup(ordinal, {{3, 1.0}, {2, 0.0}}));
    input.old_logprobs.push_back({std::vector<double>(5, -1.0), std::vector<double>(4, -2.0)});
  }
  const std::vector<Minibatch> minibatches = Build(input);
  ASSERT_EQ(minibatches.size(), 2U);
  EXPECT_EQ(minibatches[0].size(), 4U);
  EXPECT_EQ(minibatches[1].size(), 6U);
  EXPECT_EQ(minibatches[1].front().sequences[0].ordinal, 2U);
  EXPECT_EQ(minibatches[1].back().sequences[0].ordinal, 4U);
  for (const Minibatch& minibatch : minibatches) EXPECT_NEAR(WeightSum(minibatch), 1.0, 1e-14);
}

TEST_F(GrpoTest, TheBatchDeviationSpansAllMinibatches) {
  stage_.advantage_std = "batch";
  stage_.num_minibatches = 2;
  StepInput input;
  input.groups = {MakeGroup(1, {{1, 1}, {1, 0}}), MakeGroup(2, {{1, 3}, {1, 1}})};
  input.old_logprobs.assign(2, {std::vector<double>(3, -1.0), std::vector<double>(3, -1.0)});
  const std::vector<Minibatch> minibatches = Build(input);
  EXPECT_NEAR(minibatches[0][0].sequences[0].advantage.back(), .5 / 1.2583057392, 1e-5);
  EXPECT_NEAR(minibatches[1][0].sequences[0].advantage.back(), 1 / 1.2583057392, 1e-5);
}

TEST_F(GrpoTest, AsksForOldLogProbsOnlyWhenAStepHasSeveralUpdates) {
  EXPECT_FALSE(Make()->Needs().old_logprobs);
  stage_.num_epochs = 2;
  EXPECT_TRUE(Make()->Needs().old_logprobs);
  stage_.num_epochs = 1;
  stage_.num_minibatches = 2;
  EXPECT_TRUE(Make()->Needs().old_logprobs);
}

TEST_F(GrpoTest, PassesTheOldLogProbsOfEachTrajectoryOn) {
  stage_.num_epochs = 2;
  StepInput input;
  input.groups = {MakeGroup(1, {{1, 1.0}, {1, 0.0}})};
  input.old_logprobs = {{{0, 0, -.5}, {0, 0, -.7}}};
  const Minibatch minibatch = Build(input)[0];
  EXPECT_THAT(minibatch[0].sequences[0].old_logprob, ElementsAre(0, 0, -.5));
  EXPECT_THAT(minibatch[1].sequences[0].old_logprob, ElementsAre(0, 0, -.7));
  input.old_logprobs[0][1].pop_back();
  EXPECT_THROW(Build(input), Error);
}

TEST_F(GrpoTest, ReportsRewardsAndLengthsUnderTheirNames) {
  TrajectoryGroup group = MakeGroup(1, {{3, 1.0}, {1, 0.0}, {8, 0.0}, {4, 1.0}});
  group.trajectories[2].finish_reason = FinishReason::kLength;
  for (Trajectory& trajectory : group.trajectories) {
    SourceReward format = trajectory.rewards[0];
    format.source = "format";
    format.value = 0.5;
    format.weight = 0.1;
    trajectory.rewards.push_back(format);
  }
  Build({group});
  EXPECT_NEAR(metrics_.at("reward/mean"), 0.55, 1e-15);
  EXPECT_NEAR(metrics_.at("reward/std"), 0.5773502692, 1e-9);
  EXPECT_EQ(metrics_.at("reward/source/answer"), 0.5);
  EXPECT_EQ(metrics_.at("reward/source/format"), 0.5);
  EXPECT_EQ(metrics_.at("reward/zero_variance_groups"), 0.0);
  EXPECT_EQ(metrics_.at("response_length/mean"), 4.0);
  EXPECT_EQ(metrics_.at("response_length/min"), 1.0);
  EXPECT_EQ(metrics_.at("response_length/max"), 8.0);
  EXPECT_EQ(metrics_.at("response_length/clip_ratio"), 0.25);
}

TEST_F(GrpoTest, ARefusedVerdictNeverBecomesAReward) {
  TrajectoryGroup group = MakeGroup(1, {{1, 1.0}, {1, 0.0}});
  group.trajectories[1].rewards[0].verdict = VerdictKind::kRefused;
  EXPECT_THROW(Build({group}), Error);
}

at::Tensor Vector(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

TEST_F(GrpoTest, OnPolicyTheLossHasTheGradientOfMinusAdvantageTimesLogProb) {
  const at::Tensor logprobs = Vector({-1.0, -0.3}).requires_grad_();
  TokenStreams streams;
  streams.advantage = Vector({2.0, -1.0});
  TokenMetrics metrics;
  Make()->TokenLoss(logprobs, streams, &metrics).sum().backward();
  EXPECT_TRUE(at::equal(logprobs.grad(), Vector({-2.0, 1.0})));
  EXPECT_TRUE(at::equal(metrics.at("actor/ratio_mean"), Vector({1.0, 1.0})));
  EXPECT_TRUE(at::equal(metrics.at("actor/approx_kl"), Vector({0.0, 0.0})));
  EXPECT_TRUE(at::equal(metrics.at("actor/clip_frac"), Vector({0.0, 0.0})));
}

TEST_F(GrpoTest, ClipsHigherAboveThanBelow) {
  // Ratios 1.25 and 1.5 with a positive, .9 and .5 with a negative advantage.
  const std::vector<double> ratios = {1.25, 1.5, .9, .5};
  std::vector<double> log_ratios;
  for (const double ratio : ratios) log_ratios.push_back(std::log(ratio));
  TokenStreams streams;
  streams.advantage = Vector({1.0, 1.0, -1.0, -1.0});
  streams.old_logprob = at::zeros({4}, at::kDouble);
  TokenMetrics metrics;
  const at::Tensor loss = Make()->TokenLoss(Vector(log_ratios), streams, &metrics);
  EXPECT_TRUE(at::allclose(loss, Vector({-1.25, -1.28, .9, .8}))) << loss;
  EXPECT_TRUE(at::equal(metrics.at("actor/clip_frac"), Vector({0, 1, 0, 1})));
  EXPECT_TRUE(at::equal(metrics.at("actor/clip_frac_high"), Vector({0, 1, 0, 0})));
  EXPECT_TRUE(at::equal(metrics.at("actor/clip_frac_low"), Vector({0, 0, 0, 1})));
  EXPECT_TRUE(at::allclose(metrics.at("actor/ratio_mean"), Vector(ratios)));
  for (const auto& [name, values] : metrics) EXPECT_FALSE(values.requires_grad()) << name;
}

TEST_F(GrpoTest, StaleTokensAreWeighedByTruncatedImportance) {
  stage_.max_staleness = 1;
  const at::Tensor logprobs = Vector({-1.0, -1.0, -1.0}).requires_grad_();
  TokenStreams streams;
  streams.advantage = Vector({1.0, 1.0, 1.0});
  // The sampling policy gave the tokens e times less, as much as, and twice what the trainer gives.
  streams.behavior_logprob = Vector({-2.0, -1.0, -1.0 + std::log(2.0)});
  TokenMetrics metrics;
  Make()->TokenLoss(logprobs, streams, &metrics).sum().backward();
  EXPECT_TRUE(at::allclose(logprobs.grad(), Vector({-2.0, -1.0, -0.5}))) << logprobs.grad();
}

TEST_F(GrpoTest, WithoutStalenessTheBehaviourLogProbsOnlyServeComparison) {
  const at::Tensor logprobs = Vector({-1.0}).requires_grad_();
  TokenStreams streams;
  streams.advantage = Vector({1.0});
  streams.behavior_logprob = Vector({-3.0});
  TokenMetrics metrics;
  Make()->TokenLoss(logprobs, streams, &metrics).sum().backward();
  EXPECT_EQ(logprobs.grad().item<double>(), -1.0);
}

// Gradient of the loss of units [begin, end) with respect to the logits of a policy without
// context.
at::Tensor UnigramGradient(const Algorithm& algorithm, const Minibatch& minibatch, size_t begin,
                           size_t end) {
  const at::Tensor logits = Vector({0.3, -0.1, 0.2, 0.0}).requires_grad_();
  std::vector<int64_t> tokens;
  std::vector<double> weights;
  std::vector<double> advantages;
  std::vector<double> old_logprobs;
  for (size_t unit = begin; unit < end; ++unit) {
    const Example& example = minibatch[unit].sequences[0];
    for (size_t t = 0; t < example.token_ids.size(); ++t) {
      if (example.weight[t] == 0.0) continue;
      tokens.push_back(example.token_ids[t]);
      weights.push_back(example.weight[t]);
      advantages.push_back(example.advantage[t]);
      old_logprobs.push_back(example.old_logprob[t]);
    }
  }
  TokenStreams streams;
  streams.advantage = Vector(advantages);
  streams.old_logprob = Vector(old_logprobs);
  TokenMetrics metrics;
  const at::Tensor logprobs =
      logits.log_softmax(0).index_select(0, at::tensor(at::ArrayRef<int64_t>(tokens), at::kLong));
  (Vector(weights) * algorithm.TokenLoss(logprobs, streams, &metrics)).sum().backward();
  return logits.grad();
}

TEST_F(GrpoTest, AnySplitIntoMicroBatchesSumsToTheSameGradient) {
  stage_.num_epochs = 2;
  stage_.advantage_std = "group";
  StepInput input;
  input.groups = {MakeGroup(1, {{3, .3}, {7, 1}, {1, 0}, {2, .5}}),
                  MakeGroup(2, {{2, 1}, {5, 0}, {4, 1}, {9, .1}})};
  for (const TrajectoryGroup& group : input.groups) {
    auto& old_logprobs = input.old_logprobs.emplace_back();
    for (const Trajectory& trajectory : group.trajectories) {
      old_logprobs.emplace_back(trajectory.token_ids.size(), -1.3 - 0.1 * trajectory.sample_index);
    }
  }
  for (const char* aggregation :
       {"token_mean", "sequence_mean_token_mean", "sequence_mean_token_sum", "constant_length"}) {
    stage_.aggregation = aggregation;
    const Minibatch minibatch = Build(input)[0];
    ASSERT_EQ(minibatch.size(), 8U);
    const auto grpo = Make();
    const at::Tensor whole = UnigramGradient(*grpo, minibatch, 0, 8);
    ASSERT_GT(whole.norm().item<double>(), 1e-3);
    for (const size_t parts : {2, 3, 4, 8}) {
      at::Tensor sum = at::zeros_like(whole);
      for (size_t part = 0; part < parts; ++part) {
        sum = sum + UnigramGradient(*grpo, minibatch, part * 8 / parts, (part + 1) * 8 / parts);
      }
      EXPECT_LE(((sum - whole).norm() / whole.norm()).item<double>(), 1e-12)
          << aggregation << " in " << parts << " parts";
    }
  }
}

}  // namespace
}  // namespace ponder
