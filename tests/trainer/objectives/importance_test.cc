#include "trainer/objectives/importance.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ponder {
namespace {

at::Tensor Vector(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

// Ratios 1, 1.648721, 3.320117, .223130.
const std::vector<double> kLogRatios = {0, .5, 1.2, -1.5};

void ExpectWeights(const at::Tensor& weights, const std::vector<double>& expected) {
  EXPECT_TRUE(at::allclose(weights, Vector(expected), 0.0, 1e-6)) << weights;
}

TEST(ImportanceWeightsTest, TruncationMovesToTheNearerBound) {
  ExpectWeights(
      ImportanceWeights(Vector(kLogRatios), ImportanceRule::kTruncate, {.min = 0.0, .max = 2.0}),
      {1, 1.648721, 2, .223130});
  ExpectWeights(
      ImportanceWeights(Vector(kLogRatios), ImportanceRule::kTruncate, {.min = 0.5, .max = 2.0}),
      {1, 1.648721, 2, .5});
}

TEST(ImportanceWeightsTest, MaskingRemovesWhatLiesOutside) {
  ExpectWeights(
      ImportanceWeights(Vector(kLogRatios), ImportanceRule::kMask, {.min = 0.5, .max = 2.0}),
      {1, 1.648721, 0, 0});
}

TEST(ImportanceWeightsTest, WithoutBoundsTheyAreTheRatios) {
  ExpectWeights(ImportanceWeights(Vector(kLogRatios), ImportanceRule::kMask, {}),
                {1, 1.648721, 3.320117, .223130});
}

TEST(ImportanceWeightsTest, TheSumOfASequenceGivesItsWeight) {
  ExpectWeights(ImportanceWeights(Vector(kLogRatios).sum().unsqueeze(0), ImportanceRule::kTruncate,
                                  {.min = 0.0, .max = 2.0}),
                {1.221402758});
}

TEST(ImportanceWeightsTest, CarryNoGradient) {
  const at::Tensor log_ratio = Vector(kLogRatios).requires_grad_();
  EXPECT_FALSE(ImportanceWeights(log_ratio, ImportanceRule::kTruncate, {.min = 0.0, .max = 2.0})
                   .requires_grad());
}

TEST(ImportanceWeightsTest, StayFiniteForAnyLogRatio) {
  EXPECT_TRUE(std::isfinite(
      ImportanceWeights(Vector({1e6}), ImportanceRule::kTruncate, {}).item<double>()));
}

}  // namespace
}  // namespace ponder
