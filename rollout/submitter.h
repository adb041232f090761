// The submit thread: takes finished groups, has them scored, hands them to the trainer.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/bounded_queue.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
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

// Scores and submits groups in the order in which they were added. What cannot be scored, and what
// the trainer does not take, is submitted at once as an infrastructure failure with its cause, so
// that the prompt is leased again. The thread starts in the constructor and ends in the destructor,
// which scores nothing more and lets a submit in progress end.
class Submitter {
 public:
  // `scorer` and `log` are borrowed and used by this object's thread only. `done` is told the lease
  // id of every group that was added, once it needs no more renewal.
  Submitter(std::shared_ptr<grpc::Channel> channel, std::string session, Scorer& scorer,
            std::function<void(uint64_t lease_id)> done, const Log& log);
  ~Submitter();
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // Blocks while the queue is full, at most `limit`; false then, or after the end, and the group is
  // lost to this worker.
  bool Add(FinishedGroup group, std::chrono::milliseconds limit);

  // Throws what makes further work pointless: the trainer refused a submit with INVALID_ARGUMENT.
  // Thread safe.
  void RethrowFailure() const EXCLUDES(mutex_);

 private:
  static constexpr size_t kQueued = 8;
  void Run();
  void ScoreAndSubmit(FinishedGroup* finished);
  grpc::Status Submit(const TrajectoryGroup& group);

  const std::unique_ptr<v1::Experience::Stub> stub_;
  const std::string session_;
  Scorer& scorer_;
  const std::function<void(uint64_t)> done_;
  const Log& log_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  std::exception_ptr failure_ GUARDED_BY(mutex_);
  BoundedQueue<FinishedGroup> queue_{kQueued};
  std::thread thread_;  // last: starts when everything else is ready
};

}  // namespace ponder
