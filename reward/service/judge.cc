#include "reward/service/judge.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "core/base/error.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

SourceReward Failed(const std::string& why) {
  SourceReward reward;
  reward.verdict = VerdictKind::kInfrastructureError;
  reward.rule = "failed: " + why;
  return reward;
}

}  // namespace

std::vector<SourceReward> JudgeBy(RewardSource& source, const RewardConfig& config,
                                  const JudgedGroup& group) {
  const size_t num_completions = group.completions.size();
  std::vector<SourceReward> rewards;
  try {
    rewards = source.Judge(group);
    if (rewards.size() != num_completions) {
      throw Error(Condition::kInternal, "expected " + std::to_string(num_completions) +
                                            " verdicts, got " + std::to_string(rewards.size()));
    }
  } catch (const std::exception& error) {
    rewards.assign(num_completions, Failed(error.what()));
  }
  for (SourceReward& reward : rewards) {
    if (!std::isfinite(reward.value)) reward = Failed("the value is not finite");
    reward.source = config.name;
    reward.weight = config.weight;
  }
  return rewards;
}

Judge::Judge(const ExperimentConfig& experiment, const RewardContext& context) : context_(context) {
  for (const TaskConfig& task : experiment.tasks) tasks_.emplace(task.name, MakeTask(task));
  // Stages that do not sample have no rewards and no set.
  for (const StageConfig& stage : experiment.stages) {
    if (!stage.rewards.empty()) AddSet("stage/" + stage.name, stage.task, stage.rewards);
  }
  for (const EvaluationConfig& evaluation : experiment.evaluation) {
    AddSet("evaluation/" + evaluation.name, evaluation.task, evaluation.rewards);
  }
}

void Judge::AddSet(const std::string& name, const std::string& task,
                   const std::vector<RewardConfig>& rewards) {
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) {
    throw ConfigError("reward set '" + name + "': the experiment has no task '" + task + "'");
  }
  RewardSet set{.task = task, .configs = rewards, .sources = {}};
  for (const RewardConfig& reward : rewards) {
    std::shared_ptr<RewardSource> source = FindSource(task, reward);
    if (source == nullptr) source = MakeRewardSource(reward, *found->second, context_);
    set.sources.push_back(std::move(source));
  }
  sets_[name] = std::move(set);
}

std::shared_ptr<RewardSource> Judge::FindSource(const std::string& task,
                                                const RewardConfig& config) const {
  for (const auto& [name, set] : sets_) {
    if (set.task != task) continue;
    const auto found = std::find(set.configs.begin(), set.configs.end(), config);
    if (found != set.configs.end()) {
      return set.sources[static_cast<size_t>(found - set.configs.begin())];
    }
  }
  return nullptr;
}

v1::ScoreReply Judge::Score(const v1::ScoreRequest& request) const {
  const auto found = sets_.find(request.reward_set());
  if (found == sets_.end()) {
    throw ProtocolError(
        "ScoreRequest.reward_set: expected a stage or evaluation of the experiment, got '" +
        request.reward_set() + "'");
  }
  const RewardSet& set = found->second;
  const WireLimits limits;
  const Prompt prompt = FromWire(request.prompt(), limits);
  if (prompt.task != set.task) {
    throw ProtocolError("ScoreRequest.prompt.task: expected '" + set.task + "', which " +
                        request.reward_set() + " judges, got '" + prompt.task + "'");
  }
  if (request.completions().empty() ||
      static_cast<uint32_t>(request.completions_size()) > limits.max_samples) {
    throw ProtocolError("ScoreRequest.completions: expected 1 to " +
                        std::to_string(limits.max_samples) + ", got " +
                        std::to_string(request.completions_size()));
  }
  JudgedGroup group{prompt, {}};
  v1::ScoreReply reply;
  for (const v1::Completion& completion : request.completions()) {
    group.completions.push_back({completion.text(), FromWire(completion.finish_reason())});
    reply.add_scores()->set_sample_index(completion.sample_index());
  }
  for (size_t i = 0; i < set.sources.size(); ++i) {
    const std::vector<SourceReward> rewards = JudgeBy(*set.sources[i], set.configs[i], group);
    for (size_t row = 0; row < rewards.size(); ++row) {
      *reply.mutable_scores(static_cast<int>(row))->add_rewards() = ToWire(rewards[row]);
    }
    LogFailure(rewards);
  }
  return reply;
}

void Judge::LogFailure(const std::vector<SourceReward>& rewards) const {
  for (const SourceReward& reward : rewards) {
    if (reward.verdict != VerdictKind::kInfrastructureError) continue;
    context_.log.Warning("reward '" + reward.source + "' " + reward.rule);
    return;  // one line a group
  }
}

}  // namespace ponder
