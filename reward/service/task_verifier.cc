#include "reward/service/task_judgment.h"

namespace ponder {
namespace {

class TaskVerifier : public CompletionSource {
 public:
  explicit TaskVerifier(const Task& task) : task_(task) {}

 protected:
  SourceReward JudgeOne(const Prompt& prompt, const JudgedCompletion& completion) const override {
    return JudgeByTask(prompt, completion, [&](const Problem& problem) {
      return task_.Verify(problem, completion.text);
    });
  }

 private:
  const Task& task_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeTaskVerifier(const RewardConfig& /*config*/, const Task& task,
                                               const RewardContext& /*context*/) {
  return std::make_unique<TaskVerifier>(task);
}

}  // namespace ponder
