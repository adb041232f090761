#include "reward/service/judge.h"

#include "core/base/error.h"
#include "core/base/wire.h"

namespace ponder {

Judge::Judge(const ExperimentConfig& experiment) {
  for (const TaskConfig& task : experiment.tasks) tasks_.emplace(task.name, MakeTask(task));
  const auto add = [&](const std::string& set, const std::string& task,
                       const std::vector<RewardConfig>& rewards) {
    for (const RewardConfig& reward : rewards) {
      sets_[set].push_back({reward, MakeRewardSource(reward, *tasks_.at(task))});
    }
  };
  for (const StageConfig& stage : experiment.stages) {
    if (!stage.rewards.empty()) add("stage/" + stage.name, stage.task, stage.rewards);
  }
  for (const EvaluationConfig& evaluation : experiment.evaluation) {
    const std::string set = "evaluation/" + evaluation.name;
    add(set, evaluation.task, experiment.RewardSet(set));
  }
}

v1::ScoreReply Judge::Score(const v1::ScoreRequest& request) const {
  const auto set = sets_.find(request.reward_set());
  if (set == sets_.end()) {
    throw ProtocolError(
        "ScoreRequest.reward_set: expected a stage or evaluation of the experiment, got '" +
        request.reward_set() + "'");
  }
  const Prompt prompt = FromWire(request.prompt(), WireLimits{});
  v1::ScoreReply reply;
  for (const v1::Completion& completion : request.completions()) {
    v1::CompletionScore* score = reply.add_scores();
    score->set_sample_index(completion.sample_index());
    const JudgedCompletion judged{prompt, completion.text(), FromWire(completion.finish_reason())};
    for (const WeightedSource& weighted : set->second) {
      SourceReward reward = weighted.source->Judge(judged);
      reward.source = weighted.config.name;
      reward.weight = weighted.config.weight;
      *score->add_rewards() = ToWire(reward);
    }
  }
  return reply;
}

}  // namespace ponder
