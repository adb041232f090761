#include "reward/service/reward_source.h"

namespace ponder {
namespace {

class Format : public RewardSource {
 public:
  explicit Format(const Task& task) : task_(task) {}

  SourceReward Judge(const JudgedCompletion& completion) const override {
    Problem problem;
    problem.index = completion.prompt.problem;
    problem.text =
        completion.prompt.messages.empty() ? "" : completion.prompt.messages.front().content;
    problem.reference_answer = completion.prompt.reference_answer;
    problem.metadata = completion.prompt.metadata;
    const bool follows = completion.finish_reason == FinishReason::kStop &&
                         task_.CheckSteps(problem, completion.text).well_formed;
    SourceReward reward;
    reward.value = follows ? 1.0 : 0.0;
    reward.rule = follows ? "well formed" : "not well formed";
    return reward;
  }

 private:
  const Task& task_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeFormat(const Task& task) {
  return std::make_unique<Format>(task);
}

}  // namespace ponder
