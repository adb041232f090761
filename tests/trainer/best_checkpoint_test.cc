#include "trainer/best_checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ponder {
namespace {

const BestConfig kMax{.evaluation = "heldout", .metric = "val/sampled", .mode = "max"};
const BestConfig kMin{.evaluation = "heldout", .metric = "val/response_length", .mode = "min"};

std::map<std::string, double> Metrics(double sampled, double length = 10, double prompts = 4) {
  return {{"val/prompts", prompts}, {"val/sampled", sampled}, {"val/response_length", length}};
}

BestCheckpoint Best(const BestConfig& config, double value) {
  return {MeasureOf(config), value, 20};
}

TEST(BetterValueTest, TheFirstEvaluationIsTheBest) {
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(.5), std::nullopt), .5);
}

TEST(BetterValueTest, OnlyMoreIsBetterOrOnlyLess) {
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(.6), Best(kMax, .5)), .6);
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(.4), Best(kMax, .5)), std::nullopt);
  EXPECT_EQ(BetterValue(kMin, "heldout", Metrics(.4, 9), Best(kMin, 10)), 9);
  EXPECT_EQ(BetterValue(kMin, "heldout", Metrics(.4, 11), Best(kMin, 10)), std::nullopt);
}

TEST(BetterValueTest, TheFirstOfEqualOnesStaysTheBest) {
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(.5), Best(kMax, .5)), std::nullopt);
}

TEST(BetterValueTest, OnlyTheNamedEvaluationDecides) {
  EXPECT_EQ(BetterValue(kMax, "final", Metrics(.9), std::nullopt), std::nullopt);
  EXPECT_EQ(BetterValue(BestConfig{}, "heldout", Metrics(.9), std::nullopt), std::nullopt);
}

TEST(BetterValueTest, AnEvaluationWithoutAnswersSaysNothing) {
  EXPECT_EQ(BetterValue(kMin, "heldout", Metrics(0, 0, /*prompts=*/0), std::nullopt), std::nullopt);
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(std::nan("")), std::nullopt), std::nullopt);
}

TEST(BetterValueTest, AnotherMeasureStartsOver) {
  EXPECT_EQ(BetterValue(kMax, "heldout", Metrics(.1), Best(kMin, 10)), .1);
}

}  // namespace
}  // namespace ponder
