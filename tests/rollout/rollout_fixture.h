// Leases, groups and peers for tests of a worker's parts.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/rpc.h"
#include "core/base/wire.h"
#include "ponder/v1/reward.grpc.pb.h"
#include "tasks/task.h"
#include "tests/reward/reward_fixture.h"

namespace ponder::testing {

inline std::shared_ptr<const Task> ChainTask() { return MakeTask(Experiment().Task("chain")); }

inline PromptLease LeaseOf(uint64_t lease_id, const ModelIdentity& model,
                           uint32_t num_samples = 2) {
  PromptLease lease;
  lease.lease_id = lease_id;
  lease.prompt = PromptOf();
  lease.prompt.ordinal = lease_id;
  lease.sampling = {.num_samples = num_samples,
                    .add_greedy = false,
                    .temperature = 1.0F,
                    .max_new_tokens = 8,
                    .max_total_tokens = 0};
  lease.model = model;
  lease.stage = "reason";
  lease.reward_set = "stage/reason";
  return lease;
}

// What a worker has after it sampled `lease`: every row wrote the right answer.
inline TrajectoryGroup SampledGroup(const PromptLease& lease) {
  TrajectoryGroup group;
  group.lease = lease;
  const std::vector<uint32_t> written = ChainTask()->tokenizer().Encode(kRight);
  for (uint32_t row = 0; row < lease.sampling.num_rows(); ++row) {
    Trajectory trajectory;
    trajectory.ordinal = lease.prompt.ordinal;
    trajectory.sample_index = row;
    trajectory.token_ids = lease.prompt.token_ids;
    const auto begin = static_cast<uint32_t>(trajectory.token_ids.size());
    trajectory.token_ids.insert(trajectory.token_ids.end(), written.begin(), written.end());
    trajectory.segments = {{0, SegmentKind::kPrompt, lease.model.version},
                           {begin, SegmentKind::kSampled, lease.model.version}};
    trajectory.behavior_logprobs.assign(trajectory.token_ids.size(), 0.0F);
    group.trajectories.push_back(trajectory);
  }
  return group;
}

// Scores every completion with one source `answer`.
inline grpc::Status ScoreAll(const v1::ScoreRequest& request, v1::ScoreReply* reply,
                             double value = 1, VerdictKind verdict = VerdictKind::kScored,
                             const std::string& rule = "equal") {
  for (const v1::Completion& completion : request.completions()) {
    v1::CompletionScore* score = reply->add_scores();
    score->set_sample_index(completion.sample_index());
    *score->add_rewards() = ToWire(SourceReward{.source = "answer",
                                                .verdict = verdict,
                                                .value = value,
                                                .weight = 1,
                                                .rule = rule,
                                                .step_values = {},
                                                .token_values = {}});
  }
  return grpc::Status::OK;
}

// A reward service on a loopback port that answers as told. Thread safe.
class FakeRewardPeer final : public v1::Reward::Service {
 public:
  using Answer = std::function<grpc::Status(const v1::ScoreRequest&, v1::ScoreReply*)>;

  explicit FakeRewardPeer(Answer answer =
                              [](const v1::ScoreRequest& request, v1::ScoreReply* reply) {
                                return ScoreAll(request, reply);
                              })
      : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(this);
    int port = 0;
    server_ = StartServer(builder, "127.0.0.1:0", &port);
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~FakeRewardPeer() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  const std::string& address() const { return address_; }
  int num_calls() const { return num_calls_; }
  // From now on calls get no answer before their callers give up.
  void Hang() { hangs_ = true; }

  grpc::Status Score(grpc::ServerContext* context, const v1::ScoreRequest* request,
                     v1::ScoreReply* reply) override {
    ++num_calls_;
    while (hangs_ && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return answer_(*request, reply);
  }

 private:
  const Answer answer_;
  std::atomic<int> num_calls_{0};
  std::atomic<bool> hangs_{false};
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ponder::testing
