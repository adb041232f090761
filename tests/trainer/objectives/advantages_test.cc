#include "trainer/objectives/advantages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;

constexpr double kTolerance = 1e-8;  // the tables have ten digits

std::vector<double> AdvantagesOf(const GroupRewards& rewards, const AdvantageOptions& options) {
  return GroupAdvantages({rewards}, options)[0];
}

const GroupRewards kTwoOfEight = {1, 0, 0, 1, 0, 0, 0, 0};

struct DivisorCase {
  const char* description;
  AdvantageOptions options;
  double right;
  double wrong;
};

class TwoRightOfEight : public testing::TestWithParam<DivisorCase> {};

TEST_P(TwoRightOfEight, GivesTheTabulatedAdvantages) {
  const DivisorCase& param = GetParam();
  const std::vector<double> advantages = AdvantagesOf(kTwoOfEight, param.options);
  for (size_t i = 0; i < advantages.size(); ++i) {
    EXPECT_NEAR(advantages[i], *kTwoOfEight[i] == 1.0 ? param.right : param.wrong, kTolerance) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Divisors, TwoRightOfEight,
    testing::Values(
        DivisorCase{"UnbiasedEps1em6", {AdvantageStd::kGroup, 1e-6, 1}, 1.620181675, -.540060558},
        DivisorCase{"UnbiasedEps1em4", {AdvantageStd::kGroup, 1e-4, 1}, 1.61983525, -.539945083},
        DivisorCase{"BiasedEps1em8", {AdvantageStd::kGroup, 1e-8, 0}, 1.732050768, -.577350256},
        DivisorCase{"NoDivisor", {AdvantageStd::kNone, 1e-6, 1}, .75, -.25}),
    [](const auto& row) { return std::string(row.param.description); });

TEST(GroupAdvantagesTest, CentresByGroupAndDividesByItsUnbiasedDeviation) {
  EXPECT_THAT(
      AdvantagesOf({.5, 1, 0, .25}, {}),
      ElementsAre(DoubleNear(.146384668, kTolerance), DoubleNear(1.317462013, kTolerance),
                  DoubleNear(-1.024692677, kTolerance), DoubleNear(-.439154004, kTolerance)));
}

TEST(GroupAdvantagesTest, WithoutDivisorTheyAreLeaveOneOutAdvantagesTimesAConstant) {
  // RLOO subtracts the mean of the others, which is G / (G - 1) times subtracting the mean of all.
  const std::vector<double> advantages =
      AdvantagesOf({.5, 1, 0, .25}, {.std = AdvantageStd::kNone});
  const std::vector<double> leave_one_out = {.0833333333, .75, -.5833333333, -.25};
  for (size_t i = 0; i < advantages.size(); ++i) {
    EXPECT_NEAR(advantages[i] * 4.0 / 3.0, leave_one_out[i], kTolerance) << i;
  }
}

TEST(GroupAdvantagesTest, BatchModeCentresByGroupAndDividesByTheDeviationOfAllRewards) {
  const std::vector<GroupRewards> rewards = {{1, 0}, {3, 1}};
  // All four: mean 1.25, squares .0625 + 1.5625 + 3.0625 + .0625 = 4.75, divided by 3.
  const double deviation = 1.2583057392;
  const auto advantages = GroupAdvantages(rewards, {.std = AdvantageStd::kBatch, .epsilon = 1e-12});
  EXPECT_THAT(advantages[0], ElementsAre(DoubleNear(.5 / deviation, kTolerance),
                                         DoubleNear(-.5 / deviation, kTolerance)));
  EXPECT_THAT(advantages[1], ElementsAre(DoubleNear(1 / deviation, kTolerance),
                                         DoubleNear(-1 / deviation, kTolerance)));
}

TEST(GroupAdvantagesTest, EqualRewardsGiveExactlyZeroInEveryMode) {
  // The mean of seven times 0.1 is not 0.1 in double, so a plain difference would not be zero.
  const GroupRewards equal(7, 0.1);
  for (const AdvantageStd mode :
       {AdvantageStd::kGroup, AdvantageStd::kBatch, AdvantageStd::kNone}) {
    const auto advantages = GroupAdvantages({equal, {0, 1}}, {.std = mode, .epsilon = 0.0});
    EXPECT_THAT(advantages[0], Each(0.0));
  }
}

TEST(GroupAdvantagesTest, AGroupOfOneGetsZero) {
  EXPECT_THAT(AdvantagesOf({1.0}, {}), ElementsAre(0.0));
  EXPECT_THAT(AdvantagesOf({1.0}, {.std = AdvantageStd::kNone}), ElementsAre(0.0));
}

TEST(GroupAdvantagesTest, AnAbsentRewardGetsZeroAndCountsNowhere) {
  const GroupRewards rewards = {1.0, 1.0, std::nullopt, 1.5};
  EXPECT_THAT(AdvantagesOf(rewards, {.std = AdvantageStd::kNone}),
              ElementsAre(DoubleNear(-1.0 / 6, kTolerance), DoubleNear(-1.0 / 6, kTolerance), 0.0,
                          DoubleNear(1.0 / 3, kTolerance)));
  const double divisor = 0.2886751346 + 1e-4;
  EXPECT_THAT(AdvantagesOf(rewards, {.epsilon = 1e-4}),
              ElementsAre(DoubleNear(-1.0 / 6 / divisor, kTolerance),
                          DoubleNear(-1.0 / 6 / divisor, kTolerance), 0.0,
                          DoubleNear(1.0 / 3 / divisor, kTolerance)));
}

TEST(HasZeroVarianceTest, ComparesPresentRewardsOnly) {
  EXPECT_TRUE(HasZeroVariance({}));
  EXPECT_TRUE(HasZeroVariance({2.0}));
  EXPECT_TRUE(HasZeroVariance({1.0, std::nullopt, 1.0}));
  EXPECT_FALSE(HasZeroVariance({1.0, 1.0, 0.0}));
}

TEST(CombineRewardsTest, SumsWeightedValuesAndIgnoresAbsentOnes) {
  const std::vector<double> weights = {1.0, 0.5};
  const auto combine = [&](std::vector<std::optional<double>> values) {
    return CombineRewards(values, weights);
  };
  EXPECT_EQ(combine({1.0, 1.0}), 1.5);
  EXPECT_EQ(combine({std::nullopt, 2.0}), 1.0);
  EXPECT_EQ(combine({std::nullopt, std::nullopt}), std::nullopt);
}

TEST(ParseAdvantageStdTest, RefusesUnknownNamesAndListsTheKnown) {
  EXPECT_EQ(ParseAdvantageStd("batch"), AdvantageStd::kBatch);
  try {
    ParseAdvantageStd("global");
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("group, batch or none, got 'global'"));
  }
}

}  // namespace
}  // namespace ponder
