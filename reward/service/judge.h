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

// The sources of one experiment, ready to judge. Immutable; thread safe.
class Judge {
 public:
  // Throws ConfigError when a source or task of the experiment cannot be made.
  explicit Judge(const ExperimentConfig& experiment);

  // A pure function of the request: one score per completion in its order, each with one reward per
  // source in the experiment's order. Throws ProtocolError on a reward set that the experiment does
  // not have, on a prompt of another task than the set's, and on a malformed prompt or completion.
  v1::ScoreReply Score(const v1::ScoreRequest& request) const;

 private:
  struct RewardSet {
    std::string task;
    std::vector<RewardConfig> configs;
    std::vector<std::unique_ptr<RewardSource>> sources;  // one per config
  };

  void AddSet(const std::string& name, const std::string& task,
              const std::vector<RewardConfig>& rewards);

  std::map<std::string, std::unique_ptr<Task>> tasks_;
  std::map<std::string, RewardSet> sets_;  // by "stage/NAME" and "evaluation/NAME"
};

// The verdict of one source with its name and weight. What the source throws, and a value that is
// not finite, is an infrastructure error and never a score.
SourceReward JudgeBy(const RewardSource& source, const RewardConfig& config,
                     const JudgedCompletion& completion);

}  // namespace ponder
