// The expressions of CD-p and the exact success of its demonstrator. Pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "tasks/modular.h"

namespace ponder {

using CountdownNumbers = std::array<int64_t, 3>;

// A legal expression, (x first y) last z, uses each of the three numbers once: 6 orders of the
// numbers, 3 first and 3 last operations. Expressions are numbered from 0; those that differ in the
// last operation alone share a prefix and follow one another, so that expression e has prefix e / 3
// and last operation e % 3. Equal numbers count as different ones.
inline constexpr int kNumCountdownPrefixes = 18;
inline constexpr int kNumCountdownExpressions = kNumCountdownPrefixes * kNumModularOps;

struct CountdownExpression {
  int64_t x = 0;
  ModularOp first = ModularOp::kAdd;
  int64_t y = 0;
  ModularOp last = ModularOp::kAdd;
  int64_t z = 0;
  bool operator==(const CountdownExpression&) const = default;
};

CountdownExpression CountdownExpressionAt(const CountdownNumbers& numbers, int index);
// Its value modulo p.
int64_t ValueOf(const CountdownExpression& expression, int64_t modulus);

// How many expressions reach a target, and how many prefixes have a last operation that does.
struct CountdownSolutions {
  int expressions = 0;
  int prefixes = 0;
  auto operator<=>(const CountdownSolutions&) const = default;
};
CountdownSolutions CountSolutions(const CountdownNumbers& numbers, int64_t target, int64_t modulus);

// The probability that the search demonstrator reaches the target of one problem within
// `max_attempts`. Each attempt draws one of the expressions that are left, uniformly. With
// probability `lookahead` it then looks ahead: a prefix that can reach the target is completed so,
// and one that cannot is given up with all its expressions. Otherwise it tries the expression as it
// is; one that misses is not tried again. Without lookahead this is
// 1 - C(54 - e, K) / C(54, K) for e solutions, with lookahead 1 the same over the 18 prefixes.
double SearchSuccess(const CountdownSolutions& solutions, int64_t max_attempts, double lookahead);

// The mean of SearchSuccess over problems: three numbers uniform in 1 .. p-1, the target that of a
// uniform expression. Takes O(p^3).
double SearchAccuracy(int64_t modulus, int64_t max_attempts, double lookahead);

}  // namespace ponder
