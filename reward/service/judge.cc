#include "reward/service/judge.h"

#include <cmath>
#include <exception>

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

SourceReward JudgeBy(const RewardSource& source, const RewardConfig& config,
                     const JudgedCompletion& completion) {
  SourceReward reward;
  try {
    reward = source.Judge(completion);
    if (!std::isfinite(reward.value)) reward = Failed("the value is not finite");
  } catch (const std::exception& error) {
    reward = Failed(error.what());
  }
  reward.source = config.name;
  reward.weight = config.weight;
  return reward;
}

Judge::Judge(const ExperimentConfig& experiment) {
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
  RewardSet& set = sets_[name];
  set.task = task;
  set.configs = rewards;
  for (const RewardConfig& reward : rewards) {
    set.sources.push_back(MakeRewardSource(reward, *found->second));
  }
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
  v1::ScoreReply reply;
  for (const v1::Completion& completion : request.completions()) {
    const JudgedCompletion judged{prompt, completion.text(), FromWire(completion.finish_reason())};
    v1::CompletionScore* score = reply.add_scores();
    score->set_sample_index(completion.sample_index());
    for (size_t i = 0; i < set.sources.size(); ++i) {
      *score->add_rewards() = ToWire(JudgeBy(*set.sources[i], set.configs[i], judged));
    }
  }
  return reply;
}

}  // namespace ponder
