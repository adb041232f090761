// v1.Reward over a fixed pool of scoring threads with a bounded queue.
#pragma once

#include <cstddef>
#include <thread>
#include <vector>

#include "ponder/v1/reward.grpc.pb.h"
#include "reward/service/score_reactor.h"
// After gRPC's headers.
#include "core/base/bounded_queue.h"
#include "core/base/mutex.h"

namespace ponder {

// Thread safe. Refuses with RESOURCE_EXHAUSTED when the queue is full, and with UNAVAILABLE when it
// judges for another run or attempt, or for none: callers go to another peer or come back. Destroy
// it after the server that hosts it was shut down.
class RewardService final : public v1::Reward::CallbackService {
 public:
  // `max_queued`: requests that may wait for a thread.
  RewardService(int num_threads, size_t max_queued);
  ~RewardService() override;

  // Judges requests of `run` from now on; of none when it has no `score`.
  void Serve(JudgedRun run) EXCLUDES(mutex_);

  grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                  const v1::ScoreRequest* request, v1::ScoreReply* reply) override;

 private:
  void Work();
  JudgedRun CurrentRun() const EXCLUDES(mutex_);

  mutable Mutex mutex_;
  JudgedRun run_ GUARDED_BY(mutex_);
  BoundedQueue<ScoreReactor*> queue_;  // reactors own themselves
  std::vector<std::thread> threads_;   // last: start when everything else is ready
};

}  // namespace ponder
