// Measures the policy and trains nothing.
#pragma once

#include <memory>

#include "trainer/algorithms/algorithm.h"

namespace ponder {

// A stage of it has no steps: it ends with the evaluations that it names. Asking it for examples or
// a loss throws Error(kInternal).
std::unique_ptr<Algorithm> MakeEvaluate(const AlgorithmContext& context);

}  // namespace ponder
