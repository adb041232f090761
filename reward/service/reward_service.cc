#include "reward/service/reward_service.h"

#include <chrono>
#include <optional>
#include <utility>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr auto kPopLimit = std::chrono::seconds(1);

}  // namespace

RewardService::RewardService(int num_threads, size_t max_queued) : queue_(max_queued) {
  for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { Work(); });
}

RewardService::~RewardService() {
  queue_.Close();
  for (std::thread& thread : threads_) thread.join();
}

void RewardService::Serve(JudgedRun run) {
  MutexLock lock(mutex_);
  // The run before ends with the argument, after the lock: its sources may stop programs.
  std::swap(run_, run);
}

JudgedRun RewardService::CurrentRun() const {
  MutexLock lock(mutex_);
  return run_;
}

grpc::ServerUnaryReactor* RewardService::Score(grpc::CallbackServerContext* /*context*/,
                                               const v1::ScoreRequest* request,
                                               v1::ScoreReply* reply) {
  auto* reactor = new ScoreReactor(*request, reply);
  // No waiting here: this thread belongs to gRPC.
  if (!queue_.Push(reactor, std::chrono::nanoseconds(0))) {
    reactor->Refuse(Error(Condition::kExhausted,
                          "scoring a group: the queue of this reward service is full (start "
                          "another one, or give it more threads)"));
  }
  return reactor;
}

void RewardService::Work() {
  while (true) {
    const std::optional<ScoreReactor*> call = queue_.Pop(kPopLimit);
    if (call) {
      (*call)->Run(CurrentRun());
    } else if (queue_.closed()) {
      return;
    }
  }
}

}  // namespace ponder
