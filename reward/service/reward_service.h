// v1.Reward over a fixed pool of scoring threads with a bounded queue.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"
#include "ponder/v1/reward.grpc.pb.h"
#include "reward/service/judge.h"

namespace ponder {

// Refuses with RESOURCE_EXHAUSTED when the queue is full: callers go to another peer or come back.
// Thread safe. Destroy it after the server that hosts it was shut down.
class RewardService final : public v1::Reward::CallbackService {
 public:
  // `queued`: requests that may wait for a thread.
  RewardService(std::shared_ptr<const Judge> judge, int num_threads, size_t queued);
  ~RewardService() override;

  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const v1::ScoreRequest* request, v1::ScoreReply* reply) override;

 private:
  // A call that waits for a thread. The request, the reply and the reactor live until Finish.
  struct Call {
    grpc::CallbackServerContext* context = nullptr;
    const v1::ScoreRequest* request = nullptr;
    v1::ScoreReply* reply = nullptr;
    grpc::ServerUnaryReactor* reactor = nullptr;
  };

  void Work();

  const std::shared_ptr<const Judge> judge_;
  BoundedQueue<Call> queue_;
  std::vector<std::thread> threads_;  // last: start when everything else is ready
};

}  // namespace ponder
