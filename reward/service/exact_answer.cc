#include "core/answers/final_answer.h"
#include "reward/service/reward_source.h"

namespace ponder {
namespace {

class ExactAnswer : public CompletionSource {
 protected:
  SourceReward JudgeOne(const Prompt& prompt, const JudgedCompletion& completion) const override {
    const AnswerJudgment judgment =
        JudgeMarkedAnswer(completion.text, prompt.reference_answer, kAnswerMarker,
                          completion.finish_reason == FinishReason::kLength);
    SourceReward reward;
    reward.rule = judgment.rule;
    if (judgment.verdict == AnswerVerdict::kUnparsableGold) {
      reward.verdict = VerdictKind::kRefused;
    } else {
      reward.value = judgment.verdict == AnswerVerdict::kEqual ? 1.0 : 0.0;
    }
    return reward;
  }
};

}  // namespace

std::unique_ptr<RewardSource> MakeExactAnswer(const RewardConfig& /*config*/, const Task& /*task*/,
                                              const RewardContext& /*context*/) {
  return std::make_unique<ExactAnswer>();
}

}  // namespace ponder
