// The weights thread: watches the trainer's models, fetches each new version into a staging copy,
// checks it, and hands it over. Two versions stay resident.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/rpc.h"
#include "core/weights/snapshot.h"
#include "ponder/v1/model.grpc.pb.h"

namespace ponder {

// Thread safe. The thread starts in the constructor and ends in the destructor.
class ModelCache {
 public:
  // `channel`: to the trainer. `session` names the caller. `kernel_path`: the only one this worker
  // runs. `log` is borrowed.
  ModelCache(std::shared_ptr<grpc::Channel> channel, std::string session, std::string model,
             std::string kernel_path, const Log& log);
  ~ModelCache();

  // The snapshot with exactly `identity`, or null when `limit` passed or `stop` became true first.
  SnapshotPtr WaitFor(const ModelIdentity& identity, std::chrono::milliseconds limit,
                      const std::function<bool()>& stop);

 private:
  static constexpr size_t kResident = 2;
  // What is fetched at most, whatever the message says.
  static constexpr uint64_t kMaxBytes = uint64_t{64} << 30;

  void Run();
  // Follows one Watch stream until it breaks; fetches what it announces.
  void FollowWatch();
  SnapshotPtr Fetch(const v1::ModelInfo& info);
  void Store(SnapshotPtr snapshot);

  const std::unique_ptr<v1::Model::Stub> stub_;
  const std::string session_;
  const std::string model_;
  const std::string kernel_path_;
  const Log& log_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  CondVar changed_;
  // By (attempt, version); a new attempt drops the old one's.
  std::map<std::pair<uint32_t, uint64_t>, SnapshotPtr> resident_ GUARDED_BY(mutex_);
  grpc::ClientContext* active_call_ GUARDED_BY(mutex_) = nullptr;  // cancelled by the destructor
  std::thread thread_;  // last: starts when everything else is ready
};

}  // namespace ponder
