// The submit thread: takes finished groups, has them scored, hands them to the trainer.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/bounded_queue.h"
#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/base/types.h"
#include "ponder/v1/experience.grpc.pb.h"
#include "rollout/scorer.h"
#include "tasks/task.h"

namespace ponder {

// A group and the task that judges read it with.
struct FinishedGroup {
  TrajectoryGroup group;
  std::shared_ptr<const Task> task;
};

// The thread starts in the constructor and ends in the destructor after the group at hand.
class Submitter {
 public:
  // `scorer` and `log` are borrowed and used by this object's thread only. `done` is told the lease
  // id of every group that needs no more renewal. `score_limit`: of one group.
  Submitter(std::shared_ptr<grpc::Channel> channel, std::string session, Scorer& scorer,
            std::chrono::milliseconds score_limit, std::function<void(uint64_t lease_id)> done,
            const Log& log);
  ~Submitter();

  // Blocks while the queue is full, at most `limit`; false then, and the group is lost to this
  // worker.
  bool Add(FinishedGroup group, std::chrono::milliseconds limit);

 private:
  static constexpr size_t kQueued = 8;
  void Run();
  void Submit(const TrajectoryGroup& group);

  const std::unique_ptr<v1::Experience::Stub> stub_;
  const std::string session_;
  Scorer& scorer_;
  const std::chrono::milliseconds score_limit_;
  const std::function<void(uint64_t)> done_;
  const Log& log_;
  std::atomic<bool> stopping_{false};
  BoundedQueue<FinishedGroup> queue_{kQueued};
  std::thread thread_;  // last: starts when everything else is ready
};

}  // namespace ponder
