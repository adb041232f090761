// What a task says of a response, as a reward.
#pragma once

#include <functional>

#include "reward/service/reward_source.h"

namespace ponder {

// 1 when `ask` passes the prompt's problem, else 0, under the rule that it gives. A truncated
// response and one beyond kMaxJudgedBytes score 0 unasked. A problem that the task cannot read
// (Error(kBadData) of `ask`) is a refusal: no answer to it could be right.
SourceReward JudgeByTask(const Prompt& prompt, const JudgedCompletion& completion,
                         const std::function<Verification(const Problem& problem)>& ask);

}  // namespace ponder
