#include "rollout/scorer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

constexpr auto kPause = std::chrono::milliseconds(50);
// How often a group is judged when the answers are infrastructure errors. Each is the end of what
// its source tried by itself; another service may fare better.
constexpr int kMaxJudgments = 2;

// What the group's sources say together: the first refusal, else the first infrastructure error,
// else nothing.
const SourceReward* FirstFailure(const TrajectoryGroup& group) {
  const SourceReward* failure = nullptr;
  for (const Trajectory& trajectory : group.trajectories) {
    for (const SourceReward& reward : trajectory.rewards) {
      if (reward.verdict == VerdictKind::kRefused) return &reward;
      if (reward.verdict == VerdictKind::kInfrastructureError && failure == nullptr) {
        failure = &reward;
      }
    }
  }
  return failure;
}

}  // namespace

void FailGroup(VerdictKind outcome, std::string reason, TrajectoryGroup* group) {
  group->outcome = outcome;
  group->reason = std::move(reason);
  group->trajectories.clear();
}

v1::ScoreRequest MakeScoreRequest(const Task& task, TrajectoryGroup* group) {
  v1::ScoreRequest request;
  request.set_run_id(group->lease.model.run_id);
  request.set_attempt(group->lease.model.attempt);
  request.set_reward_set(group->lease.reward_set);
  *request.mutable_prompt() = ToWire(group->lease.prompt);
  const std::string delimiter = task.step_delimiter();
  const Tokenizer& tokenizer = task.tokenizer();
  for (Trajectory& trajectory : group->trajectories) {
    v1::Completion* completion = request.add_completions();
    completion->set_sample_index(trajectory.sample_index);
    completion->set_finish_reason(ToWire(trajectory.finish_reason));
    trajectory.step_ends.clear();
    std::vector<uint32_t> written;
    for (size_t segment = 0; segment < trajectory.segments.size(); ++segment) {
      if (trajectory.segments[segment].kind != SegmentKind::kSampled) continue;
      const size_t end = segment + 1 < trajectory.segments.size()
                             ? trajectory.segments[segment + 1].begin
                             : trajectory.token_ids.size();
      for (size_t t = trajectory.segments[segment].begin; t < end; ++t) {
        const uint32_t token = trajectory.token_ids[t];
        written.push_back(token);
        if (delimiter.empty() || tokenizer.TokenText(token) != delimiter) continue;
        trajectory.step_ends.push_back(static_cast<uint32_t>(t));
        completion->add_step_ends(static_cast<uint32_t>(tokenizer.Decode(written).size()));
      }
    }
    completion->set_text(tokenizer.Decode(written));
  }
  return request;
}

void ApplyScores(const v1::ScoreReply& reply, TrajectoryGroup* group) {
  if (static_cast<size_t>(reply.scores_size()) != group->trajectories.size()) {
    throw ProtocolError("ScoreReply.scores: expected " +
                        std::to_string(group->trajectories.size()) + ", got " +
                        std::to_string(reply.scores_size()));
  }
  for (int row = 0; row < reply.scores_size(); ++row) {
    Trajectory& trajectory = group->trajectories[static_cast<size_t>(row)];
    const v1::CompletionScore& score = reply.scores(row);
    if (score.sample_index() != trajectory.sample_index) {
      throw ProtocolError("ScoreReply.scores[" + std::to_string(row) + "].sample_index: expected " +
                          std::to_string(trajectory.sample_index) + ", got " +
                          std::to_string(score.sample_index()));
    }
    trajectory.rewards.clear();
    for (const v1::SourceReward& reward : score.rewards()) {
      trajectory.rewards.push_back(FromWire(reward));
    }
  }
}

Scorer::Scorer(ChannelFactory& channels, std::function<std::vector<std::string>()> peers,
               std::chrono::milliseconds call_limit, const Log& log)
    : channels_(channels), peers_(std::move(peers)), call_limit_(call_limit), log_(log) {}

v1::Reward::Stub& Scorer::StubOf(const std::string& address) {
  auto& stub = stubs_[address];
  if (stub == nullptr) stub = v1::Reward::NewStub(channels_.Connect(address));
  return *stub;
}

void Scorer::Score(const Task& task, const std::function<bool()>& stop, TrajectoryGroup* group) {
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + kCallLimitsPerGroup * call_limit_;
  const v1::ScoreRequest request = MakeScoreRequest(task, group);
  std::string last_failure = "no reward service is registered";
  int num_judgments = 0;
  // The list is read again each time, because services come back on other ports.
  for (uint64_t turn = group->lease.prompt.ordinal + group->lease.try_number;
       !stop() && std::chrono::steady_clock::now() < end; ++turn) {
    const std::vector<std::string> peers = peers_();
    if (peers.empty()) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    const std::string& peer = peers[turn % peers.size()];
    PONDER_FAILPOINT("rollout.score");
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + call_limit_);
    const CallCanceller::Scope scope(canceller_, context);
    v1::ScoreReply reply;
    const grpc::Status status = StubOf(peer).Score(&context, request, &reply);
    if (!status.ok()) {
      last_failure = peer + ": " + status.error_message();
      if (!IsRetried(status)) {
        log_.Warning("scoring was refused by " + last_failure);
        break;
      }
      std::this_thread::sleep_for(kPause);
      continue;
    }
    ApplyScores(reply, group);
    const SourceReward* failure = FirstFailure(*group);
    if (failure == nullptr) {
      group->score_s =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      return;
    }
    if (failure->verdict == VerdictKind::kRefused) {
      return FailGroup(VerdictKind::kRefused, failure->source + ": " + failure->rule, group);
    }
    last_failure = "reward '" + failure->source + "' " + failure->rule;
    if (++num_judgments == kMaxJudgments) break;
    std::this_thread::sleep_for(kPause);
  }
  FailGroup(VerdictKind::kInfrastructureError, "scoring failed: " + last_failure, group);
}

}  // namespace ponder
