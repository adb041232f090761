#include "tasks/countdown_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace ponder {
namespace {

struct Golden {
  int64_t modulus;
  double lookahead;
  int64_t max_attempts;
  double accuracy;
};

// From separate programs that share no code with this one: those without a mixture by enumeration
// of the draws without replacement, those with one by a recursion over what is left.
TEST(CountdownMath, HasTheExactAccuraciesOfTheSearch) {
  const std::vector<Golden> cases{
      {5, 0, 1, .23894},    {5, 0, 2, .416235},  {5, 0, 3, .548775},    {5, 0, 4, .648619},
      {5, 1, 1, .627701},   {5, 1, 2, .830735},  {5, 1, 3, .912652},    {5, 1, 4, .951538},
      {11, 0, 1, .137811},  {11, 0, 2, .254674}, {11, 0, 4, .438869},   {11, 0, 6, .573602},
      {11, 0, 8, .673188},  {11, 1, 1, .382642}, {11, 1, 2, .603239},   {11, 1, 4, .821014},
      {11, 1, 6, .912618},  {11, 1, 8, .955544}, {5, .35, 1, .375006},  {5, .35, 2, .597648},
      {5, .35, 3, .733524}, {5, .35, 4, .81885}, {11, .35, 1, .223502}, {11, .35, 4, .615299},
  };
  for (const Golden& c : cases) {
    EXPECT_NEAR(SearchAccuracy(c.modulus, c.max_attempts, c.lookahead), c.accuracy, 1e-6)
        << "p = " << c.modulus << ", h = " << c.lookahead << ", K = " << c.max_attempts;
  }
}

TEST(CountdownMath, OneAttemptIsAMixtureOfBothWaysToPickTheLastOperation) {
  for (const double lookahead : {0.1, 0.35, 0.8}) {
    EXPECT_NEAR(SearchAccuracy(5, 1, lookahead),
                (1 - lookahead) * SearchAccuracy(5, 1, 0) + lookahead * SearchAccuracy(5, 1, 1),
                1e-12);
  }
}

TEST(CountdownMath, LookingAheadAlwaysSucceedsOnceEveryPrefixWasTried) {
  EXPECT_NEAR(SearchAccuracy(5, kNumCountdownPrefixes, 1), 1, 1e-12);
  EXPECT_LT(SearchAccuracy(5, kNumCountdownPrefixes, 0), 1 - 1e-3);
}

TEST(CountdownMath, SearchWithoutLookaheadDrawsWithoutReplacement) {
  // One solution among 54 expressions: K draws find it with probability K / 54.
  EXPECT_NEAR(SearchSuccess({.expressions = 1, .prefixes = 1}, 9, 0), 9.0 / 54, 1e-12);
  EXPECT_NEAR(SearchSuccess({.expressions = 1, .prefixes = 1}, 9, 1), 9.0 / 18, 1e-12);
  EXPECT_NEAR(SearchSuccess({.expressions = 54, .prefixes = 18}, 1, 0.5), 1, 1e-12);
}

TEST(CountdownMath, ListsEveryLegalExpressionOnce) {
  const CountdownNumbers numbers{1, 2, 4};
  std::set<std::vector<int64_t>> seen;
  for (int index = 0; index < kNumCountdownExpressions; ++index) {
    const auto [x, first, y, last, z] = CountdownExpressionAt(numbers, index);
    std::vector<int64_t> used{x, y, z};
    seen.insert({x, static_cast<int64_t>(first), y, static_cast<int64_t>(last), z});
    std::sort(used.begin(), used.end());
    EXPECT_EQ(used, (std::vector<int64_t>{1, 2, 4})) << index;
    EXPECT_EQ(static_cast<int>(last), index % kNumModularOps);
  }
  EXPECT_EQ(seen.size(), 54U);
}

TEST(CountdownMath, EvaluatesFromLeftToRight) {
  const CountdownExpression sum_first{
      .x = 4, .first = ModularOp::kAdd, .y = 3, .last = ModularOp::kMultiply, .z = 2};
  EXPECT_EQ(ValueOf(sum_first, 5), 4) << "(4 + 3) * 2 = 14, not 4 + (3 * 2) = 10";
}

TEST(CountdownMath, CountsTheSolutionsOfEachTarget) {
  const CountdownNumbers numbers{2, 3, 3};
  std::map<int64_t, int> num_by_value;
  for (int index = 0; index < kNumCountdownExpressions; ++index) {
    ++num_by_value[ValueOf(CountdownExpressionAt(numbers, index), 5)];
  }
  for (int64_t target = 0; target < 5; ++target) {
    const CountdownSolutions solutions = CountSolutions(numbers, target, 5);
    EXPECT_EQ(solutions.expressions, num_by_value[target]) << target;
    EXPECT_LE(solutions.prefixes, solutions.expressions);
    EXPECT_LE(solutions.expressions, kNumModularOps * solutions.prefixes);
  }
}

}  // namespace
}  // namespace ponder
