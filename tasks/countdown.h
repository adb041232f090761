// CD-p: reach a target from three numbers modulo a prime p, by search written out.
//
// Prompt `a b c ? t >`: three numbers in 1 .. p-1 and the value t of some legal expression, which
// uses each number once, with operations + - *, evaluated from left to right modulo p. Response:
// attempts `x o y = r o z = s - t = d ;` of 14 tokens. d = 0 says that the target is reached and
// ends the response, as does attempt number max_attempts: at most 14 max_attempts + 1 tokens with
// the end token. Right answers are many, so there is no reference answer: Verify decides.
//
// The demonstrator `search` tries expressions at random, none twice, and with lookahead_probability
// looks ahead at the last operation of an attempt (countdown_math.h).
//
// Vocabulary, in the order of the ids: 0 .. p-1, + - * > = ; ?, <eos> <pad> <bos>. 15 for p = 5.
//
// A problem is held out for evaluation by a hash of its sorted numbers and its target, keyed by
// task_seed: a small p has few problems, and other orders of held-out numbers would give them away.
// Tasks of one modulus, task_seed and eval_share hold out the same problems.
#pragma once

#include <memory>

#include "tasks/task.h"

namespace ponder {

// Throws ConfigError on a modulus or a number of attempts that it does not take.
std::unique_ptr<Task> MakeCountdownTask(const TaskConfig& config);

}  // namespace ponder
