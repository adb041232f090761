// A source of reward: judges one completion. One file and one line in the table each.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "core/config/experiment.h"
#include "tasks/task.h"

namespace ponder {

// One completion as judges see it. Borrowed views of a request.
struct JudgedCompletion {
  const Prompt& prompt;
  std::string_view text;  // what the policy wrote; never the prompt
  FinishReason finish_reason = FinishReason::kStop;
};

// Immutable; thread safe. Judge is a pure function of its argument.
class RewardSource {
 public:
  virtual ~RewardSource() = default;
  // Fills verdict, value and rule. What the answer causes is a score, what the gold or the problem
  // causes a refusal, what the infrastructure causes an infrastructure error (also when it throws);
  // the last two are never a score of 0.
  virtual SourceReward Judge(const JudgedCompletion& completion) const = 0;
};

// The source of `config` for prompts of `task` (borrowed). Throws ConfigError on an unknown type.
std::unique_ptr<RewardSource> MakeRewardSource(const RewardConfig& config, const Task& task);

// 1 when the final answer equals the reference answer, else 0.
std::unique_ptr<RewardSource> MakeExactAnswer(const Task& task);
// 1 when the response follows the task's form (all steps and an answer, right or wrong), else 0.
std::unique_ptr<RewardSource> MakeFormat(const Task& task);

}  // namespace ponder
