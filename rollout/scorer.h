// Has a group judged by a reward service: detokenises, calls, retries on another peer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/base/types.h"
#include "ponder/v1/reward.grpc.pb.h"
#include "tasks/task.h"

namespace ponder {

// Used by the submit thread only.
class Scorer {
 public:
  // `peers`: the reward services that are alive now. All arguments are borrowed but the function.
  Scorer(ChannelFactory& channels, std::function<std::vector<std::string>()> peers, const Log& log);

  // Fills in the rewards of the group's trajectories. What cannot be scored within `limit` becomes
  // an infrastructure error of the group, what the gold causes a refusal; in both cases the
  // trajectories are cleared. `attempt` and `run_id` come from the lease.
  void Score(const Task& task, std::chrono::milliseconds limit, const std::function<bool()>& stop,
             TrajectoryGroup* group);

 private:
  v1::Reward::Stub& StubOf(const std::string& address);

  ChannelFactory& channels_;
  const std::function<std::vector<std::string>()> peers_;
  const Log& log_;
  std::map<std::string, std::unique_ptr<v1::Reward::Stub>> stubs_;
};

// The request that judges see: what the policy wrote, as text, with step ends as byte offsets. Sets
// Trajectory::step_ends of the group (the delimiters' token positions).
v1::ScoreRequest MakeScoreRequest(const Task& task, TrajectoryGroup* group);

// Copies the reply's rewards into the group. Throws ProtocolError when the reply does not fit it.
void ApplyScores(const v1::ScoreReply& reply, TrajectoryGroup* group);

}  // namespace ponder
