#include "tasks/countdown_math.h"

#include <map>
#include <set>

namespace ponder {
namespace {

constexpr std::array<std::array<size_t, 3>, 6> kOrders{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
static_assert(kOrders.size() * kNumModularOps == kNumCountdownPrefixes);

// What is left to try of a problem, its solutions aside: expressions that miss though their prefix
// could reach the target, and hopeless prefixes by how many of their expressions are left (1 to 3).
struct Untried {
  int misses = 0;
  std::array<int, kNumModularOps + 1> hopeless{};  // [0] is unused
  auto operator<=>(const Untried&) const = default;
};

// Probabilities of what is left after one more attempt that failed.
using Distribution = std::map<Untried, double>;

Distribution AfterAFailure(const Distribution& before, int solutions, double lookahead) {
  Distribution after;
  for (const auto& [untried, probability] : before) {
    int left = solutions + untried.misses;
    for (int n = 1; n <= kNumModularOps; ++n) left += n * untried.hopeless[static_cast<size_t>(n)];
    const auto share = [&, p = probability](int count) { return p * count / left; };
    if (untried.misses > 0) {
      Untried next = untried;
      --next.misses;
      after[next] += share(untried.misses) * (1 - lookahead);
    }
    for (int n = 1; n <= kNumModularOps; ++n) {
      const int count = untried.hopeless[static_cast<size_t>(n)];
      if (count == 0) continue;
      Untried given_up = untried;
      --given_up.hopeless[static_cast<size_t>(n)];
      Untried one_less = given_up;
      if (n > 1) ++one_less.hopeless[static_cast<size_t>(n - 1)];
      after[given_up] += share(n * count) * lookahead;
      after[one_less] += share(n * count) * (1 - lookahead);
    }
  }
  return after;
}

}  // namespace

CountdownExpression CountdownExpressionAt(const CountdownNumbers& numbers, int index) {
  const int prefix = index / kNumModularOps;
  const auto& order = kOrders[static_cast<size_t>(prefix / kNumModularOps)];
  return {.x = numbers[order[0]],
          .first = static_cast<ModularOp>(prefix % kNumModularOps),
          .y = numbers[order[1]],
          .last = static_cast<ModularOp>(index % kNumModularOps),
          .z = numbers[order[2]]};
}

int64_t ValueOf(const CountdownExpression& expression, int64_t modulus) {
  const int64_t r = ApplyModularOp(expression.first, expression.x, expression.y, modulus);
  return ApplyModularOp(expression.last, r, expression.z, modulus);
}

CountdownSolutions CountSolutions(const CountdownNumbers& numbers, int64_t target,
                                  int64_t modulus) {
  CountdownSolutions solutions;
  for (int prefix = 0; prefix < kNumCountdownPrefixes; ++prefix) {
    int of_prefix = 0;
    for (int last = 0; last < kNumModularOps; ++last) {
      const auto expression = CountdownExpressionAt(numbers, prefix * kNumModularOps + last);
      of_prefix += ValueOf(expression, modulus) == target ? 1 : 0;
    }
    solutions.expressions += of_prefix;
    solutions.prefixes += of_prefix > 0 ? 1 : 0;
  }
  return solutions;
}

double SearchSuccess(const CountdownSolutions& solutions, int64_t max_attempts, double lookahead) {
  Untried all;
  all.misses = solutions.prefixes * kNumModularOps - solutions.expressions;
  all.hopeless[kNumModularOps] = kNumCountdownPrefixes - solutions.prefixes;
  Distribution unsolved{{all, 1.0}};
  for (int64_t attempt = 0; attempt < max_attempts; ++attempt) {
    unsolved = AfterAFailure(unsolved, solutions.expressions, lookahead);
  }
  double failure = 0;
  for (const auto& [untried, probability] : unsolved) failure += probability;
  return 1 - failure;
}

double SearchAccuracy(int64_t modulus, int64_t max_attempts, double lookahead) {
  // Problems with as many solutions are solved as often: few kinds stand for all. A target occurs
  // once for each expression that reaches it.
  std::map<CountdownSolutions, int64_t> weights;
  int64_t total = 0;
  for (int64_t a = 1; a < modulus; ++a) {
    for (int64_t b = 1; b < modulus; ++b) {
      for (int64_t c = 1; c < modulus; ++c) {
        const CountdownNumbers numbers{a, b, c};
        std::set<int64_t> targets;
        for (int index = 0; index < kNumCountdownExpressions; ++index) {
          targets.insert(ValueOf(CountdownExpressionAt(numbers, index), modulus));
        }
        for (const int64_t target : targets) {
          const CountdownSolutions solutions = CountSolutions(numbers, target, modulus);
          weights[solutions] += solutions.expressions;
          total += solutions.expressions;
        }
      }
    }
  }
  double sum = 0;
  for (const auto& [solutions, weight] : weights) {
    sum += static_cast<double>(weight) * SearchSuccess(solutions, max_attempts, lookahead);
  }
  return sum / static_cast<double>(total);
}

}  // namespace ponder
