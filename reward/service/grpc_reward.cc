// A user's server as a source of reward.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "ponder/v1/user_reward.grpc.pb.h"
#include "reward/external/group_scores.h"
#include "reward/service/reward_source.h"
// After gRPC's headers.
#include "core/base/error.h"
#include "core/base/mutex.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds kSlice{50};

v1::JudgeRequest RequestOf(const JudgedGroup& group) {
  v1::JudgeRequest request;
  request.set_task(group.prompt.task);
  request.set_prompt(PromptText(group.prompt));
  request.set_reference(group.prompt.reference_answer);
  request.mutable_metadata()->insert(group.prompt.metadata.begin(), group.prompt.metadata.end());
  for (const JudgedCompletion& completion : group.completions) {
    request.add_responses(std::string(completion.text));
    request.add_truncated(completion.finish_reason == FinishReason::kLength);
  }
  return request;
}

// The end of one asynchronous call.
class CallEnd {
 public:
  void Set(grpc::Status status) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    status_ = std::move(status);
    is_set_ = true;
    changed_.NotifyAll();
  }
  // Waits for the end, which the call's deadline bounds; cancels the call once `stop` is true.
  grpc::Status Wait(grpc::ClientContext& context, const std::function<bool()>& stop)
      EXCLUDES(mutex_) {
    bool is_cancelled = false;
    while (true) {
      {
        MutexLock lock(mutex_);
        if (!is_set_) changed_.WaitFor(mutex_, kSlice);
        if (is_set_) return status_;
      }
      if (!is_cancelled && stop()) context.TryCancel();
      is_cancelled = is_cancelled || stop();
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  grpc::Status status_ GUARDED_BY(mutex_);
  bool is_set_ GUARDED_BY(mutex_) = false;
};

class GrpcReward : public RewardSource {
 public:
  GrpcReward(const RewardConfig& config, const RewardContext& context)
      : config_(config),
        context_(context),
        stub_(v1::UserReward::NewStub(context.channels.Connect(config.address))) {}

  std::vector<SourceReward> Judge(const JudgedGroup& group) override {
    const v1::JudgeRequest request = RequestOf(group);
    const auto timeout =
        std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(config_.timeout_s));
    const auto deadline = system_clock::now() + timeout;
    v1::JudgeReply reply;
    RetryPolicy policy;
    policy.jitter_seed = group.prompt.ordinal;
    const grpc::Status status = CallWithRetry(
        policy, timeout, [&] { return context_.stop() || system_clock::now() >= deadline; },
        [&](grpc::ClientContext& call) {
          // One deadline for all tries.
          call.set_deadline(deadline);
          CallEnd end;
          stub_->async()->Judge(&call, &request, &reply,
                                [&end](grpc::Status result) { end.Set(std::move(result)); });
          return end.Wait(call, context_.stop);
        });
    ThrowIfFailed(status, "UserReward.Judge", config_.address);
    return RewardsOf({{reply.scores().begin(), reply.scores().end()}, reply.refused()},
                     group.completions.size(), config_.range);
  }

 private:
  const RewardConfig config_;
  const RewardContext context_;
  const std::unique_ptr<v1::UserReward::Stub> stub_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeGrpcReward(const RewardConfig& config, const Task& /*task*/,
                                             const RewardContext& context) {
  return std::make_unique<GrpcReward>(config, context);
}

}  // namespace ponder
