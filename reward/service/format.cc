#include "core/answers/final_answer.h"
#include "core/base/error.h"
#include "reward/service/reward_source.h"

namespace ponder {
namespace {

SourceReward Scored(double value, std::string rule) {
  SourceReward reward;
  reward.value = value;
  reward.rule = std::move(rule);
  return reward;
}

class Format : public CompletionSource {
 public:
  explicit Format(const Task& task) : task_(task) {}

 protected:
  SourceReward JudgeOne(const Prompt& prompt, const JudgedCompletion& completion) const override {
    if (completion.finish_reason == FinishReason::kLength) return Scored(0, "truncated");
    if (completion.text.size() > kMaxJudgedBytes) return Scored(0, "too long");
    try {
      const StepCheck check = task_.CheckSteps(ProblemOf(prompt), completion.text);
      return check.well_formed ? Scored(1, "well formed") : Scored(0, "not well formed");
    } catch (const Error& error) {
      // The problem itself cannot be read: no answer could follow its form.
      if (error.condition() != Condition::kBadData) throw;
      SourceReward refused = Scored(0, error.what());
      refused.verdict = VerdictKind::kRefused;
      return refused;
    }
  }

 private:
  const Task& task_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeFormat(const RewardConfig& /*config*/, const Task& task,
                                         const RewardContext& /*context*/) {
  return std::make_unique<Format>(task);
}

}  // namespace ponder
