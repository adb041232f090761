#include "trainer/objectives/policy_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/trainer/objectives/finite_difference.h"

namespace ponder {
namespace {

const ClipRange kSymmetric = {.low = .2, .high = .2, .dual = std::nullopt};
const ClipRange kClipHigher = {.low = .2, .high = .28, .dual = std::nullopt};
const ClipRange kDual = {.low = .2, .high = .2, .dual = 3.0};

at::Tensor Vector(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

// Of one token whose ratio is `ratio`.
PolicyLoss LossOf(double ratio, double advantage, const ClipRange& clip) {
  return ClippedPolicyLoss(Vector({std::log(ratio) - 1.5}), Vector({-1.5}), Vector({advantage}),
                           clip);
}

struct ClipCase {
  double ratio;
  double advantage;
  double symmetric;
  double clip_higher;
  double dual;
};

// The objective is maximised, the loss is its negative.
constexpr ClipCase kClipCases[] = {
    {.ratio = .5, .advantage = 1, .symmetric = .5, .clip_higher = .5, .dual = .5},
    {.ratio = 1.1, .advantage = 1, .symmetric = 1.1, .clip_higher = 1.1, .dual = 1.1},
    {.ratio = 1.25, .advantage = 1, .symmetric = 1.2, .clip_higher = 1.25, .dual = 1.2},
    {.ratio = 1.5, .advantage = 1, .symmetric = 1.2, .clip_higher = 1.28, .dual = 1.2},
    {.ratio = 4, .advantage = 1, .symmetric = 1.2, .clip_higher = 1.28, .dual = 1.2},
    {.ratio = .5, .advantage = -1, .symmetric = -.8, .clip_higher = -.8, .dual = -.8},
    {.ratio = .9, .advantage = -1, .symmetric = -.9, .clip_higher = -.9, .dual = -.9},
    {.ratio = 1.25, .advantage = -1, .symmetric = -1.25, .clip_higher = -1.25, .dual = -1.25},
    {.ratio = 1.5, .advantage = -1, .symmetric = -1.5, .clip_higher = -1.5, .dual = -1.5},
    {.ratio = 4, .advantage = -1, .symmetric = -4, .clip_higher = -4, .dual = -3},
};

TEST(ClippedPolicyLossTest, GivesTheTabulatedObjectives) {
  for (const ClipCase& row : kClipCases) {
    SCOPED_TRACE(testing::Message() << "ratio " << row.ratio << " advantage " << row.advantage);
    const auto objective = [&](const ClipRange& clip) {
      return -LossOf(row.ratio, row.advantage, clip).loss.item<double>();
    };
    EXPECT_NEAR(objective(kSymmetric), row.symmetric, 1e-12);
    EXPECT_NEAR(objective(kClipHigher), row.clip_higher, 1e-12);
    EXPECT_NEAR(objective(kDual), row.dual, 1e-12);
  }
}

TEST(ClippedPolicyLossTest, IndicatorsMarkTokensThatLostTheirGradient) {
  for (const ClipCase& row : kClipCases) {
    SCOPED_TRACE(testing::Message() << "ratio " << row.ratio << " advantage " << row.advantage);
    const at::Tensor logprob = Vector({std::log(row.ratio)}).requires_grad_();
    const PolicyLoss result =
        ClippedPolicyLoss(logprob, Vector({0.0}), Vector({row.advantage}), kDual);
    result.loss.sum().backward();
    const at::Tensor clipped = result.clipped_low + result.clipped_high + result.clipped_dual;
    EXPECT_EQ(clipped.item<double>() > 0, logprob.grad().item<double>() == 0.0);
  }
}

TEST(ClippedPolicyLossTest, NamesTheSideThatClipped) {
  const PolicyLoss low = LossOf(.5, -1, kSymmetric);
  EXPECT_EQ(low.clipped_low.item<double>(), 1.0);
  EXPECT_EQ(low.clipped_high.item<double>(), 0.0);
  const PolicyLoss high = LossOf(1.5, 1, kSymmetric);
  EXPECT_EQ(high.clipped_low.item<double>(), 0.0);
  EXPECT_EQ(high.clipped_high.item<double>(), 1.0);
  EXPECT_EQ(LossOf(1.25, 1, kClipHigher).clipped_high.item<double>(), 0.0);
  EXPECT_EQ(LossOf(4, -1, kDual).clipped_dual.item<double>(), 1.0);
}

TEST(ClippedPolicyLossTest, OnPolicyItsGradientIsMinusTheAdvantage) {
  const at::Tensor logprobs = Vector({-1.0, -2.0, -0.1}).requires_grad_();
  const at::Tensor advantages = Vector({0.5, -2.0, 0.0});
  const PolicyLoss result = ClippedPolicyLoss(logprobs, logprobs.detach(), advantages, kClipHigher);
  result.loss.sum().backward();
  EXPECT_TRUE(at::equal(logprobs.grad(), -advantages)) << logprobs.grad();
  EXPECT_TRUE(at::equal(result.ratio.detach(), at::ones({3}, at::kDouble)));
}

TEST(ClippedPolicyLossTest, AnExplodingLogRatioStaysFinite) {
  for (const double advantage : {1.0, -1.0}) {
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      const at::Tensor logprobs = Vector({0.0, -1e4}).to(dtype).requires_grad_();
      const PolicyLoss result = ClippedPolicyLoss(logprobs, Vector({-1e4, 0.0}).to(dtype),
                                                  at::full({2}, advantage, dtype), kSymmetric);
      result.loss.sum().backward();
      EXPECT_TRUE(result.loss.isfinite().all().item<bool>()) << result.loss;
      EXPECT_TRUE(logprobs.grad().isfinite().all().item<bool>()) << logprobs.grad();
    }
  }
}

TEST(ClippedPolicyLossTest, MatchesFiniteDifferencesInAndOutsideTheClipRange) {
  const at::Tensor old_logprobs = at::full({14}, -1.3, at::kDouble);
  const at::Tensor log_ratios =
      Vector({-.7, -.3, -.1, 0.05, .21, .3, 1.5, -.7, -.3, -.1, 0.05, .21, .3, 1.5});
  const at::Tensor advantages =
      Vector({.8, .8, .8, .8, .8, .8, .8, -1.3, -1.3, -1.3, -1.3, -1.3, -1.3, -1.3});
  for (const ClipRange& clip : {kSymmetric, kClipHigher, kDual}) {
    ExpectGradientMatchesDifferences(
        [&](const at::Tensor& logprobs) {
          return ClippedPolicyLoss(logprobs, old_logprobs, advantages, clip).loss.sum();
        },
        old_logprobs + log_ratios);
  }
}

TEST(ClippedPolicyLossTest, RefusesUnequalShapes) {
  EXPECT_THROW(ClippedPolicyLoss(Vector({1, 2}), Vector({1, 2}), Vector({1}), kSymmetric), Error);
}

}  // namespace
}  // namespace ponder
