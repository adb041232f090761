// The arithmetic of CHAIN-p and its demonstrators' exact statistics. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "core/config/experiment.h"
#include "tasks/modular.h"

namespace ponder {

// The facts that the sloppy demonstrator believes wrongly: exactly round(share * number of facts)
// of the facts (op, a, b) with b != 0 for multiplication, drawn once by the task's own seed, each
// with one fixed wrong result. Immutable.
class Misconceptions {
 public:
  Misconceptions(int64_t modulus, double share, uint64_t task_seed);
  // The wrong result of a misconceived fact; -1 for all others.
  int64_t WrongResult(ModularOp op, int64_t a, int64_t b) const { return wrong_[Index(op, a, b)]; }
  int64_t count() const { return count_; }

 private:
  size_t Index(ModularOp op, int64_t a, int64_t b) const {
    return static_cast<size_t>((static_cast<int64_t>(op) * modulus_ + a) * modulus_ + b);
  }
  int64_t modulus_;
  int64_t count_ = 0;
  std::vector<int32_t> wrong_;  // [3 * p * p]
};

// Number of facts: 2 p^2 + p (p - 1).
int64_t NumChainFacts(int64_t modulus);

// Probability that the sloppy demonstrator's final answer is right, over uniform problems with `n`
// operations, by recursion on the joint distribution of (true, stated) value. Counts lucky second
// slips. Per step: with probability q the wrong result of a misconceived fact; otherwise with
// probability epsilon a uniform result; otherwise the right one. Takes O(n p^3).
double SloppyAnswerAccuracy(const TaskConfig& config, const Misconceptions& misconceptions,
                            int64_t n);

// Closed forms with the misconceived share as a probability instead of a drawn table:
// [(1 - rho)(1 - e) + rho (1 - q)(1 - e)]^n with e = epsilon (1 - 1/p), every step right.
double SloppyProcessAccuracy(const TaskConfig& config, int64_t n);
// (1 - rho)^n: the most probable answer when q > 1/2.
double SloppyGreedyAccuracy(const TaskConfig& config, int64_t n);

}  // namespace ponder
