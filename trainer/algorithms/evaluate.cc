#include "trainer/algorithms/evaluate.h"

#include "core/base/error.h"

namespace ponder {
namespace {

class EvaluateOnly : public Algorithm {
 public:
  bool samples() const override { return false; }
  std::vector<Minibatch> BuildExamples(const StepInput& input,
                                       std::map<std::string, double>*) const override {
    throw Error(Condition::kInternal, "an evaluation has no step " + std::to_string(input.step));
  }
  at::Tensor TokenLoss(const at::Tensor&, const TokenStreams&, TokenMetrics*) const override {
    throw Error(Condition::kInternal, "an evaluation has no loss");
  }
};

}  // namespace

std::unique_ptr<Algorithm> MakeEvaluate(const AlgorithmContext&) {
  return std::make_unique<EvaluateOnly>();
}

}  // namespace ponder
