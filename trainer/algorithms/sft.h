// Supervised fine-tuning: imitates a demonstrator of the stage's task.
#pragma once

#include <memory>

#include "trainer/algorithms/algorithm.h"

namespace ponder {

// loss = -log-prob of the demonstration's tokens, averaged over all demonstration tokens of the
// batch, end token included, prompt excluded. Step k takes demonstrations k * batch_size up to (k +
// 1) * batch_size of the stage's stream, alike on every rank. Borrows context.task, which must
// outlive the result; copies the rest. Throws ConfigError when the task has no such demonstrator.
std::unique_ptr<Algorithm> MakeSft(const AlgorithmContext& context);

}  // namespace ponder
