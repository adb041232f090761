#include "reward/service/task_judgment.h"

namespace ponder {
namespace {

class Format : public CompletionSource {
 public:
  explicit Format(const Task& task) : task_(task) {}

 protected:
  SourceReward JudgeOne(const Prompt& prompt, const JudgedCompletion& completion) const override {
    return JudgeByTask(prompt, completion, [&](const Problem& problem) -> Verification {
      const bool well_formed = task_.CheckSteps(problem, completion.text).well_formed;
      return {.passed = well_formed, .rule = well_formed ? "well formed" : "not well formed"};
    });
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
