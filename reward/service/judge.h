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

  // A pure function of the request. Throws ProtocolError on a reward set or task that the
  // experiment does not have, and on a malformed prompt.
  v1::ScoreReply Score(const v1::ScoreRequest& request) const;

 private:
  struct WeightedSource {
    RewardConfig config;
    std::unique_ptr<RewardSource> source;
  };
  std::map<std::string, std::unique_ptr<Task>> tasks_;
  // By reward set ("stage/NAME", "evaluation/NAME").
  std::map<std::string, std::vector<WeightedSource>> sets_;
};

}  // namespace ponder
