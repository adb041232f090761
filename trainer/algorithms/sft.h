// Supervised fine-tuning: imitates a demonstrator of the stage's task.
#pragma once

#include <memory>

#include "trainer/algorithms/algorithm.h"

namespace ponder {

// loss = -log-prob of the demonstration's tokens, averaged over all demonstration tokens of the
// batch, end token included, prompt excluded. Step k takes demonstrations k * batch_size up to (k +
// 1) * batch_size of the stage's stream, alike on every rank.
//
// With data.num_demonstrations = M the stream goes round and round through M fixed demonstrations,
// each epoch in an order of its own: a keyed permutation, so there is no state to resume. A batch
// may span two epochs. train/epoch counts epochs, with their fractions.
//
// Validation takes demonstrations of the task's held-out problems 0 up to
// validation.num_demonstrations, by the same demonstrator: the same ones in every stage and run of
// one seed.
//
// Borrows context.task, which must outlive the result; copies the rest. Throws ConfigError when the
// task has no such demonstrator.
std::unique_ptr<Algorithm> MakeSft(const AlgorithmContext& context);

}  // namespace ponder
