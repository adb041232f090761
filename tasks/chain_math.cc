#include "tasks/chain_math.h"

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

// Streams of the task's own seed. Results depend on them: never renumber.
constexpr uint64_t kWhichFacts = 1;
constexpr uint64_t kWrongResults = 2;

// The smallest second operand: multiplication never takes 0, so every operation is a bijection.
int64_t FirstOperand(ModularOp op) { return op == ModularOp::kMultiply ? 1 : 0; }

}  // namespace

int64_t NumChainFacts(int64_t modulus) { return 2 * modulus * modulus + modulus * (modulus - 1); }

Misconceptions::Misconceptions(int64_t modulus, double share, uint64_t task_seed)
    : modulus_(modulus) {
  struct Fact {
    ModularOp op;
    int64_t a;
    int64_t b;
  };
  std::vector<Fact> facts;
  for (int op = 0; op < kNumModularOps; ++op) {
    const auto which = static_cast<ModularOp>(op);
    for (int64_t a = 0; a < modulus; ++a) {
      for (int64_t b = FirstOperand(which); b < modulus; ++b) facts.push_back({which, a, b});
    }
  }
  wrong_.assign(static_cast<size_t>(kNumModularOps * modulus * modulus), -1);
  count_ = std::llround(share * static_cast<double>(facts.size()));
  for (int64_t i = 0; i < count_; ++i) {
    const auto index = static_cast<uint64_t>(i);
    const Fact& fact = facts[PermutedIndex(task_seed, kWhichFacts, facts.size(), index)];
    const RandomStream random(task_seed, RandomPurpose::kProblem, kWrongResults, /*sample=*/0);
    const int64_t right = ApplyModularOp(fact.op, fact.a, fact.b, modulus);
    const auto shift = static_cast<int64_t>(
        1 + random.Below(static_cast<uint32_t>(i), static_cast<uint64_t>(modulus - 1)));
    wrong_[Index(fact.op, fact.a, fact.b)] = static_cast<int32_t>((right + shift) % modulus);
  }
}

double SloppyAnswerAccuracy(const TaskConfig& config, const Misconceptions& misconceptions,
                            int64_t n) {
  const auto p = static_cast<size_t>(config.modulus);
  const double epsilon = config.slip_probability;
  // joint[t * p + s]: probability that the true value is t and the stated one is s.
  std::vector<double> joint(p * p, 0.0);
  for (size_t t = 0; t < p; ++t) joint[t * p + t] = 1.0 / static_cast<double>(p);
  for (int64_t step = 0; step < n; ++step) {
    std::vector<double> next(p * p, 0.0);
    // uniform[t]: probability of true value t together with a uniform stated one.
    std::vector<double> uniform(p, 0.0);
    for (int op = 0; op < kNumModularOps; ++op) {
      const auto which = static_cast<ModularOp>(op);
      const int64_t first = FirstOperand(which);
      const double choice = 1.0 / kNumModularOps / static_cast<double>(config.modulus - first);
      for (int64_t b = first; b < config.modulus; ++b) {
        for (size_t s = 0; s < p; ++s) {
          const auto stated = static_cast<int64_t>(s);
          const auto right = static_cast<size_t>(ApplyModularOp(which, stated, b, config.modulus));
          const int64_t wrong = misconceptions.WrongResult(which, stated, b);
          const double believes_wrong = wrong >= 0 ? config.misconception_probability : 0.0;
          for (size_t t = 0; t < p; ++t) {
            const double weight = choice * joint[t * p + s];
            const auto truth = static_cast<size_t>(
                ApplyModularOp(which, static_cast<int64_t>(t), b, config.modulus));
            next[truth * p + right] += weight * (1 - believes_wrong) * (1 - epsilon);
            uniform[truth] += weight * (1 - believes_wrong) * epsilon;
            if (wrong >= 0) next[truth * p + static_cast<size_t>(wrong)] += weight * believes_wrong;
          }
        }
      }
    }
    for (size_t t = 0; t < p; ++t) {
      for (size_t s = 0; s < p; ++s) next[t * p + s] += uniform[t] / static_cast<double>(p);
    }
    joint = std::move(next);
  }
  double right = 0;
  for (size_t t = 0; t < p; ++t) right += joint[t * p + t];
  return right;
}

double SloppyProcessAccuracy(const TaskConfig& config, int64_t n) {
  const double e = config.slip_probability * (1.0 - 1.0 / static_cast<double>(config.modulus));
  const double rho = config.misconception_share;
  const double step = (1 - rho) * (1 - e) + rho * (1 - config.misconception_probability) * (1 - e);
  return std::pow(step, static_cast<double>(n));
}

double SloppyGreedyAccuracy(const TaskConfig& config, int64_t n) {
  return std::pow(1 - config.misconception_share, static_cast<double>(n));
}

}  // namespace ponder
