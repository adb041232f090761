#include "reward/service/task_judgment.h"

#include "core/answers/final_answer.h"
#include "core/base/error.h"

namespace ponder {

SourceReward JudgeByTask(const Prompt& prompt, const JudgedCompletion& completion,
                         const std::function<Verification(const Problem& problem)>& ask) {
  SourceReward reward;
  if (completion.finish_reason == FinishReason::kLength) {
    reward.rule = "truncated";
  } else if (completion.text.size() > kMaxJudgedBytes) {
    reward.rule = "too long";
  } else {
    try {
      const Verification verification = ask(ProblemOf(prompt));
      reward.value = verification.passed ? 1 : 0;
      reward.rule = verification.rule;
    } catch (const Error& error) {
      if (error.condition() != Condition::kBadData) throw;
      reward.verdict = VerdictKind::kRefused;
      reward.rule = error.what();
    }
  }
  return reward;
}

}  // namespace ponder
