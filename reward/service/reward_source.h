// A source of reward: judges the completions of one prompt together. One file and one line in the
// table each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/base/types.h"
#include "core/config/experiment.h"
#include "reward/judged_group.h"
#include "tasks/task.h"

namespace ponder {

// Thread safe: several scoring threads judge at once.
class RewardSource {
 public:
  virtual ~RewardSource() = default;
  // One reward per completion, in order: verdict, value and rule. What the answer causes is a
  // score, what the gold or the problem causes a refusal, what the infrastructure causes an
  // infrastructure error, also when it throws; the last two are never a score of 0. Blocks for a
  // bounded time.
  virtual std::vector<SourceReward> Judge(const JudgedGroup& group) = 0;
};

// A source that judges each completion by itself, as a pure function.
class CompletionSource : public RewardSource {
 public:
  std::vector<SourceReward> Judge(const JudgedGroup& group) final {
    std::vector<SourceReward> rewards;
    rewards.reserve(group.completions.size());
    for (const JudgedCompletion& completion : group.completions) {
      rewards.push_back(JudgeOne(group.prompt, completion));
    }
    return rewards;
  }

 protected:
  virtual SourceReward JudgeOne(const Prompt& prompt, const JudgedCompletion& completion) const = 0;
};

// What the sources of a service work with. What it refers to outlives them.
struct RewardContext {
  ChannelFactory& channels;
  const Log& log;
  const std::function<bool()>& stop;  // true once the service is asked to end
  std::string run_id;                 // of the run that is judged
};

// The source of `config` for prompts of `task` (borrowed). Throws ConfigError on an unknown type
// and on what the source cannot work with on this machine.
std::unique_ptr<RewardSource> MakeRewardSource(const RewardConfig& config, const Task& task,
                                               const RewardContext& context);

// 1 when the final answer equals the reference answer, else 0.
std::unique_ptr<RewardSource> MakeExactAnswer(const RewardConfig& config, const Task& task,
                                              const RewardContext& context);
// 1 when the response follows the task's form (all steps and an answer, right or wrong), else 0.
std::unique_ptr<RewardSource> MakeFormat(const RewardConfig& config, const Task& task,
                                         const RewardContext& context);
// What a user's own program says; docs/rewards.md describes its protocol.
std::unique_ptr<RewardSource> MakeCommandReward(const RewardConfig& config, const Task& task,
                                                const RewardContext& context);
// What a user's own server says, called by ponder.v1.UserReward.
std::unique_ptr<RewardSource> MakeGrpcReward(const RewardConfig& config, const Task& task,
                                             const RewardContext& context);
// What a language model behind an OpenAI-compatible chat-completions endpoint says.
std::unique_ptr<RewardSource> MakeHttpReward(const RewardConfig& config, const Task& task,
                                             const RewardContext& context);
// 1 when the task's own verifier accepts the response, else 0. For problems without a reference
// answer.
std::unique_ptr<RewardSource> MakeTaskVerifier(const RewardConfig& config, const Task& task,
                                               const RewardContext& context);

}  // namespace ponder
