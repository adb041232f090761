// The estimated policy gradient against the exact one, on a policy small enough to enumerate: two
// steps over three tokens.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "core/base/philox.h"
#include "trainer/objectives/advantages.h"
#include "trainer/objectives/aggregation.h"
#include "trainer/objectives/policy_loss.h"

namespace ponder {
namespace {

constexpr int64_t kVocab = 3;
constexpr int64_t kSteps = 2;
constexpr int64_t kContexts = 4;  // the begin, then one for each first token
constexpr int64_t kNumGroups = 20'000;
constexpr double kMaxStandardErrors = 3.0;

// Rewards of the nine answers, neither centred nor symmetric.
constexpr std::array<double, 9> kRewards = {1.0, 0.2, 0.0, 0.7, 1.5, 0.1, 0.0, 0.3, 2.0};

int64_t ContextOf(int64_t step, int64_t first_token) { return step == 0 ? 0 : 1 + first_token; }

// [kContexts, kVocab] logits of the policy.
at::Tensor Logits() {
  return at::tensor({0.3, -0.2, 0.1, 0.5, 0.0, -0.4, -0.3, 0.2, 0.6, 0.1, 0.4, -0.2}, at::kDouble)
      .view({kContexts, kVocab});
}

// d E[reward] / d logits, by enumerating all answers.
at::Tensor ExactGradient() {
  const at::Tensor logits = Logits().requires_grad_();
  const at::Tensor probabilities = logits.softmax(1);
  at::Tensor expected = at::zeros({}, at::kDouble);
  for (int64_t first = 0; first < kVocab; ++first) {
    for (int64_t second = 0; second < kVocab; ++second) {
      expected = expected + kRewards[static_cast<size_t>(first * kVocab + second)] *
                                probabilities[0][first] * probabilities[1 + first][second];
    }
  }
  expected.backward();
  return logits.grad().view({-1});
}

// Turns the rewards of a group into advantages.
using Estimator = std::vector<double> (*)(const std::vector<double>& rewards);

std::vector<double> RawRewards(const std::vector<double>& rewards) { return rewards; }

std::vector<double> Advantages(const std::vector<double>& rewards, AdvantageStd mode) {
  const GroupRewards group(rewards.begin(), rewards.end());
  return GroupAdvantages({group}, {.std = mode})[0];
}

std::vector<double> Centred(const std::vector<double>& rewards) {
  return Advantages(rewards, AdvantageStd::kNone);
}

std::vector<double> CentredByTheOthers(const std::vector<double>& rewards) {
  const auto size = static_cast<double>(rewards.size());
  std::vector<double> advantages = Centred(rewards);
  for (double& advantage : advantages) advantage *= size / (size - 1.0);
  return advantages;
}

std::vector<double> Standardised(const std::vector<double>& rewards) {
  return Advantages(rewards, AdvantageStd::kGroup);
}

struct GradientSample {
  at::Tensor mean;            // [kContexts * kVocab]
  at::Tensor standard_error;  // same
  // Largest deviation of the mean from `exact`, in standard errors.
  double WorstZ(const at::Tensor& exact) const {
    return ((mean - exact) / standard_error).abs().max().item<double>();
  }
};

// The ascent direction that the loss of each of kNumGroups sampled groups gives.
GradientSample SampleGradient(Estimator estimator, int64_t group_size, uint64_t seed) {
  const at::Tensor probabilities = Logits().softmax(1);
  const auto probability = probabilities.accessor<double, 2>();
  const int64_t num_tokens = kNumGroups * group_size * kSteps;
  std::vector<int64_t> tokens;
  std::vector<int64_t> contexts;
  std::vector<double> advantages;
  for (int64_t group = 0; group < kNumGroups; ++group) {
    std::vector<double> rewards;
    for (int64_t sample = 0; sample < group_size; ++sample) {
      const RandomStream random(seed, RandomPurpose::kTest, static_cast<uint64_t>(group),
                                static_cast<uint32_t>(sample));
      int64_t first = 0;
      int64_t answer = 0;
      for (int64_t step = 0; step < kSteps; ++step) {
        const int64_t context = ContextOf(step, first);
        double rest = random.Uniform(static_cast<uint32_t>(step));
        int64_t token = 0;
        while (token + 1 < kVocab && rest >= probability[context][token]) {
          rest -= probability[context][token++];
        }
        if (step == 0) first = token;
        answer = answer * kVocab + token;
        contexts.push_back(context);
        tokens.push_back(token);
      }
      rewards.push_back(kRewards[static_cast<size_t>(answer)]);
    }
    for (const double advantage : estimator(rewards)) {
      for (int64_t step = 0; step < kSteps; ++step) advantages.push_back(advantage);
    }
  }

  // Each group is an update of its own: the mean over its sequences of the sum over their tokens.
  const std::vector<int64_t> lengths(static_cast<size_t>(group_size), kSteps);
  const double weight = TokenWeights(Aggregation::kSequenceMeanTokenSum, lengths, 0)[0];
  const at::Tensor context = at::tensor(at::ArrayRef<int64_t>(contexts), at::kLong);
  const at::Tensor token = at::tensor(at::ArrayRef<int64_t>(tokens), at::kLong);
  const at::Tensor logprobs = Logits()
                                  .log_softmax(1)
                                  .index_select(0, context)
                                  .gather(1, token.unsqueeze(1))
                                  .squeeze(1)
                                  .requires_grad_();
  const at::Tensor loss =
      ClippedPolicyLoss(logprobs, logprobs.detach(),
                        at::tensor(at::ArrayRef<double>(advantages), at::kDouble), {})
          .loss;
  (loss * weight).sum().backward();

  // d log softmax / d logits = indicator - probability, in the row of the token's context.
  const at::Tensor row =
      at::zeros({num_tokens, kVocab}, at::kDouble).scatter_(1, token.unsqueeze(1), 1.0) -
      probabilities.index_select(0, context);
  const at::Tensor by_token = -logprobs.grad().unsqueeze(1) * row;  // ascent
  const at::Tensor group_of_token =
      at::arange(num_tokens, at::kLong).div(group_size * kSteps, "floor");
  const at::Tensor by_group = at::zeros({kNumGroups * kContexts, kVocab}, at::kDouble)
                                  .index_add_(0, group_of_token * kContexts + context, by_token)
                                  .view({kNumGroups, kContexts * kVocab});
  return {by_group.mean(0), by_group.std(0) / std::sqrt(static_cast<double>(kNumGroups))};
}

TEST(PolicyGradientTest, WithRawRewardsIsUnbiased) {
  const GradientSample sample = SampleGradient(&RawRewards, 4, /*seed=*/11);
  EXPECT_LT(sample.WorstZ(ExactGradient()), kMaxStandardErrors);
}

TEST(PolicyGradientTest, WithTheMeanOfTheOthersAsBaselineIsUnbiased) {
  for (const int64_t group_size : {2, 4, 8}) {
    const GradientSample sample = SampleGradient(&CentredByTheOthers, group_size, /*seed=*/12);
    EXPECT_LT(sample.WorstZ(ExactGradient()), kMaxStandardErrors) << group_size;
  }
}

// A mean that includes the answer itself takes part of its own signal away: the expectation shrinks
// by (G - 1) / G, which the learning rate absorbs. The direction is exact.
TEST(PolicyGradientTest, WithTheGroupMeanAsBaselineIsUnbiasedUpToAConstant) {
  const GradientSample sample = SampleGradient(&Centred, 2, /*seed=*/13);
  EXPECT_LT(sample.WorstZ(ExactGradient() * 0.5), kMaxStandardErrors);
  EXPECT_GT(sample.WorstZ(ExactGradient()), 10 * kMaxStandardErrors);
}

// Dividing by the group's own deviation weighs each group by something that depends on its samples,
// so no constant brings the expectation back to the gradient of the mean reward.
TEST(PolicyGradientTest, WithTheGroupDeviationAsDivisorIsBiasedEvenInDirection) {
  const GradientSample sample = SampleGradient(&Standardised, 4, /*seed=*/14);
  const at::Tensor exact = ExactGradient();
  const double best_scale = (sample.mean.dot(exact) / exact.dot(exact)).item<double>();
  EXPECT_GT(best_scale, 0.0);
  EXPECT_GT(sample.WorstZ(exact * best_scale), 2 * kMaxStandardErrors);
}

TEST(PolicyGradientTest, ABaselineReducesTheVariance) {
  const auto total_variance = [](const GradientSample& sample) {
    return sample.standard_error.square().sum().item<double>();
  };
  EXPECT_LT(total_variance(SampleGradient(&CentredByTheOthers, 4, /*seed=*/15)),
            0.8 * total_variance(SampleGradient(&RawRewards, 4, /*seed=*/15)));
}

}  // namespace
}  // namespace ponder
