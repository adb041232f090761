// Scores a whole request: every completion by every source of a reward set.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "ponder/v1/reward.pb.h"
#include "reward/service/reward_source.h"
#include "tasks/task.h"

namespace ponder {

// The sources of one experiment, ready to judge. Thread safe.
class Judge {
 public:
  // Throws ConfigError when a source or task of the experiment cannot be made. `context`: what it
  // refers to outlives the Judge.
  Judge(const ExperimentConfig& experiment, const RewardContext& context);

  // One score per completion in its order, each with one reward per source in the experiment's
  // order: a pure function of the request as far as its sources are. Throws ProtocolError on a
  // reward set that the experiment does not have, on a prompt of another task than the set's, and
  // on a malformed prompt or completion.
  v1::ScoreReply Score(const v1::ScoreRequest& request) const;

 private:
  struct RewardSet {
    std::string task;
    std::vector<RewardConfig> configs;
    std::vector<std::shared_ptr<RewardSource>> sources;  // one per config
  };

  void AddSet(const std::string& name, const std::string& task,
              const std::vector<RewardConfig>& rewards);
  // Sets that are judged alike share their sources, with what those own. Null when there is none
  // yet.
  std::shared_ptr<RewardSource> FindSource(const std::string& task,
                                           const RewardConfig& config) const;
  void LogFailure(const std::vector<SourceReward>& rewards) const;

  const RewardContext context_;
  std::map<std::string, std::unique_ptr<Task>> tasks_;
  std::map<std::string, RewardSet> sets_;  // by "stage/NAME" and "evaluation/NAME"
};

// The verdicts of one source with its name and weight, one per completion. What the source throws,
// a value that is not finite and a wrong number of verdicts are infrastructure errors and never a
// score.
std::vector<SourceReward> JudgeBy(RewardSource& source, const RewardConfig& config,
                                  const JudgedGroup& group);

}  // namespace ponder
