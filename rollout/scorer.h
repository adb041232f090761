// Has a group judged by a reward service: detokenises, calls, retries on another peer.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/base/types.h"
#include "ponder/v1/reward.grpc.pb.h"
#include "rollout/call_canceller.h"
#include "tasks/task.h"

namespace ponder {

// Used by the submit thread.
class Scorer {
 public:
  // No call begins once a group took as long as so many calls that get no answer: a service that
  // hangs costs its share, and the next ones have theirs.
  static constexpr int kCallLimitsPerGroup = 4;

  // `peers`: the reward services that are alive now. `call_limit`: deadline of one call. All
  // arguments are borrowed but the function.
  Scorer(ChannelFactory& channels, std::function<std::vector<std::string>()> peers,
         std::chrono::milliseconds call_limit, const Log& log);

  // Fills in the rewards of the group's trajectories. The first call goes to the service that the
  // lease's ordinal and try pick, each further one to the next. What cannot be scored within
  // kCallLimitsPerGroup call limits, or is answered by infrastructure errors twice, becomes an
  // infrastructure error of the group, what the gold causes a refusal; in both cases the
  // trajectories are cleared. `attempt` and `run_id` come from the lease. Throws ProtocolError when
  // a reply does not fit the group. Once `stop` is true no further call is made.
  void Score(const Task& task, const std::function<bool()>& stop, TrajectoryGroup* group);
  // Ends the call in progress and every later one at once. Called by any thread.
  void Cancel() { canceller_.Cancel(); }

 private:
  v1::Reward::Stub& StubOf(const std::string& address);

  ChannelFactory& channels_;
  const std::function<std::vector<std::string>()> peers_;
  const std::chrono::milliseconds call_limit_;
  const Log& log_;
  CallCanceller canceller_;
  std::map<std::string, std::unique_ptr<v1::Reward::Stub>> stubs_;
};

// Marks the group as failed with `outcome`: nothing partial is ever submitted.
void FailGroup(VerdictKind outcome, std::string reason, TrajectoryGroup* group);

// The request that judges see: what the policy wrote, as text, with step ends as byte offsets. Sets
// Trajectory::step_ends of the group (the delimiters' token positions).
v1::ScoreRequest MakeScoreRequest(const Task& task, TrajectoryGroup* group);

// Copies the reply's rewards into the group. Throws ProtocolError when the reply does not fit it.
void ApplyScores(const v1::ScoreReply& reply, TrajectoryGroup* group);

}  // namespace ponder
