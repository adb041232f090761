// CHAIN-p: chained arithmetic modulo a prime p, with exact and sloppy demonstrators.
//
// Prompt `x0 o1 x1 o2 x2 ... >`, evaluated from left to right modulo p; operations + - *, never
// times 0, so that every operation is a bijection of the running value. Response: a step `c o v = r
// ;` for each operation, then `# ans` and the end token: 6 n + 3 tokens for n operations. The chain
// goes on from what a step states, right or wrong.
//
// Vocabulary, in the order of the ids: 0 .. p-1, + - * > = ; #, <eos> <pad> <bos>. 21 for p = 11.
//
// A prompt is held out for evaluation when a hash of its text, keyed by task_seed, falls below
// eval_share. The rule knows neither the task's name nor num_operations, so tasks of one form hold
// out the same prompts. Tasks of one form in one experiment must therefore agree in task_seed and
// eval_share.
#pragma once

#include <memory>

#include "tasks/task.h"

namespace ponder {

// Throws ConfigError on a modulus or a range that makes no problems.
std::unique_ptr<Task> MakeChainTask(const TaskConfig& config);

}  // namespace ponder
