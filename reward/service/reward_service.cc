#include "reward/service/reward_service.h"

#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/rpc.h"

namespace ponder {
namespace {

constexpr auto kPopLimit = std::chrono::seconds(1);

}  // namespace

RewardService::RewardService(std::shared_ptr<const Judge> judge, int num_threads, size_t queued)
    : judge_(std::move(judge)), queue_(queued) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { Work(); });
}

RewardService::~RewardService() {
  queue_.Close();
  for (std::thread& thread : threads_) thread.join();
}

grpc::ServerUnaryReactor* RewardService::Score(grpc::CallbackServerContext* context,
                                               const v1::ScoreRequest* request,
                                               v1::ScoreReply* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // No waiting here: this thread belongs to gRPC.
  if (!queue_.Push({context, request, reply, reactor}, std::chrono::nanoseconds(0))) {
    reactor->Finish(
        StatusOf(Error(Condition::kExhausted,
                       "scoring a group: the queue of this reward service is full (start "
                       "another one, or give it more threads)")));
  }
  return reactor;
}

void RewardService::Work() {
  while (true) {
    const std::optional<Call> call = queue_.Pop(kPopLimit);
    if (!call) {
      if (queue_.closed()) return;
      continue;
    }
    const grpc::Status status = HandleRpc([&] {
      if (call->context->IsCancelled()) {
        throw Error(Condition::kDeadline, "scoring a group: the caller gave up before it began");
      }
      PONDER_FAILPOINT("reward.score");
      *call->reply = judge_->Score(*call->request);
      PONDER_FAILPOINT("reward.reply");
    });
    call->reactor->Finish(status);
  }
}

}  // namespace ponder
