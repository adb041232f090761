#include "tasks/chain_math.h"

#include <gtest/gtest.h>

#include <vector>

namespace ponder {
namespace {

constexpr int64_t kModulus = 11;
constexpr uint64_t kTaskSeed = 1;

TaskConfig Sloppy(double share, double probability, double slip) {
  TaskConfig config;
  config.type = "chain";
  config.modulus = kModulus;
  config.misconception_share = share;
  config.misconception_probability = probability;
  config.slip_probability = slip;
  return config;
}

double AnswerAccuracy(const TaskConfig& config, int64_t n) {
  return SloppyAnswerAccuracy(
      config, Misconceptions(config.modulus, config.misconception_share, kTaskSeed), n);
}

TEST(ChainMath, HasTheClosedFormsOfTheProcess) {
  EXPECT_NEAR(SloppyProcessAccuracy(Sloppy(0, 0, 0.2), 5), 0.366648, 1e-6);
  EXPECT_NEAR(SloppyProcessAccuracy(Sloppy(0, 0, 0.2), 6), 0.299985, 1e-6);
  EXPECT_NEAR(SloppyProcessAccuracy(Sloppy(0, 0, 0.1), 6), 0.564474, 1e-6);
  EXPECT_NEAR(SloppyProcessAccuracy(Sloppy(0.12, 0.7, 0.05), 5), 0.511047, 1e-6);
  EXPECT_NEAR(SloppyProcessAccuracy(Sloppy(0.12, 0.7, 0.05), 6), 0.446840, 1e-6);
}

TEST(ChainMath, HasTheClosedFormsOfGreedyDecoding) {
  EXPECT_NEAR(SloppyGreedyAccuracy(Sloppy(0.12, 0.7, 0.05), 5), 0.527732, 1e-6);
  EXPECT_NEAR(SloppyGreedyAccuracy(Sloppy(0.12, 0.7, 0.05), 6), 0.464404, 1e-6);
}

TEST(ChainMath, CountsLuckySecondSlipsInTheAnswer) {
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0, 0, 0.2), 5), 0.3888, 1e-6);
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0, 0, 0.2), 6), 0.329222, 1e-6);
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0, 0, 0.1), 6), 0.574037, 1e-6);
}

// From a separate program that shares no code with this one.
TEST(ChainMath, CountsTheDrawnMisconceptionsInTheAnswer) {
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0.12, 0.7, 0.05), 5), 0.5257110898046051, 1e-12);
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0.12, 0.7, 0.05), 6), 0.4661003140434545, 1e-12);
}

TEST(ChainMath, IsRightWithoutSlipsAndAtChanceWithNothingElse) {
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0, 0.7, 0), 6), 1.0, 1e-12);
  EXPECT_NEAR(AnswerAccuracy(Sloppy(0, 0, 1), 6), 1.0 / kModulus, 1e-12);
  EXPECT_NEAR(AnswerAccuracy(Sloppy(1, 1, 0), 1), 0.0, 1e-12) << "every fact is misconceived";
}

TEST(ChainMath, MisconceivesExactlyTheRoundedShareOfFacts) {
  EXPECT_EQ(NumChainFacts(kModulus), 352);
  for (const auto& [share, expected] : std::vector<std::pair<double, int64_t>>{
           {0.0, 0}, {0.12, 42}, {0.125, 44}, {0.5, 176}, {1.0, 352}}) {
    const Misconceptions misconceptions(kModulus, share, kTaskSeed);
    int64_t num_wrong = 0;
    for (int op = 0; op < kNumModularOps; ++op) {
      const auto which = static_cast<ModularOp>(op);
      for (int64_t a = 0; a < kModulus; ++a) {
        for (int64_t b = 0; b < kModulus; ++b) {
          const int64_t wrong = misconceptions.WrongResult(which, a, b);
          if (wrong < 0) continue;
          ++num_wrong;
          EXPECT_LT(wrong, kModulus);
          EXPECT_NE(wrong, ApplyModularOp(which, a, b, kModulus)) << "a belief that is right";
          EXPECT_FALSE(which == ModularOp::kMultiply && b == 0) << "times 0 is no fact";
        }
      }
    }
    EXPECT_EQ(num_wrong, expected) << "share " << share;
    EXPECT_EQ(misconceptions.count(), expected) << "share " << share;
  }
}

TEST(ChainMath, DrawsMisconceptionsByTheTasksOwnSeed) {
  const Misconceptions one(kModulus, 0.12, 1);
  const Misconceptions again(kModulus, 0.12, 1);
  const Misconceptions two(kModulus, 0.12, 2);
  EXPECT_EQ(one.WrongResult(ModularOp::kAdd, 0, 1), 2);
  EXPECT_EQ(one.WrongResult(ModularOp::kAdd, 1, 10), 2);
  int num_different = 0;
  for (int64_t a = 0; a < kModulus; ++a) {
    for (int64_t b = 0; b < kModulus; ++b) {
      EXPECT_EQ(one.WrongResult(ModularOp::kAdd, a, b), again.WrongResult(ModularOp::kAdd, a, b));
      num_different +=
          one.WrongResult(ModularOp::kAdd, a, b) != two.WrongResult(ModularOp::kAdd, a, b) ? 1 : 0;
    }
  }
  EXPECT_GT(num_different, 0);
}

}  // namespace
}  // namespace ponder
