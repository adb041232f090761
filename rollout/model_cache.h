// The weights thread: remembers what the trainer announced, fetches the newest version ahead of its
// leases and any other on demand, in checked chunks.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/weights/snapshot.h"
#include "ponder/v1/model.grpc.pb.h"
#include "rollout/call_canceller.h"
#include "rollout/model_watch.h"

namespace ponder {

struct ModelCacheOptions {
  std::string session;      // names the caller
  std::string model;        // the one that leases name
  std::string kernel_path;  // the only one that this worker runs
  // The trainer announces a version before it leases with it, so a longer silence is a fault.
  std::chrono::milliseconds announce_limit{60'000};
  RetryPolicy fetch{.max_tries = 10};  // of one version; each try goes on where the last one broke
};

// Holds at most two snapshots, the one that is being fetched included; what Get returned is the
// caller's. Get is called by one thread.
class ModelCache {
 public:
  // `channel`: to the trainer. `log` is borrowed.
  ModelCache(const std::shared_ptr<grpc::Channel>& channel, ModelCacheOptions options,
             const Log& log);
  ~ModelCache();
  ModelCache(const ModelCache&) = delete;
  ModelCache& operator=(const ModelCache&) = delete;

  // The snapshot of exactly `identity`, or null when `stop` became true first. Blocks while it is
  // announced and fetched, for a time that the options and its size bound. Throws Error when it
  // cannot be had: the trainer no longer has it or announced another digest, it was not announced
  // in time, this worker cannot run its kernel path, or no try brought it whole.
  SnapshotPtr Get(const ModelIdentity& identity, const std::function<bool()>& stop)
      EXCLUDES(mutex_);

 private:
  // Leases name versions at most max_staleness (at most 64) behind the newest.
  static constexpr size_t kMaxAnnounced = 128;
  // What is fetched at most, whatever the message says.
  static constexpr uint64_t kMaxBytes = uint64_t{64} << 30;

  void Run() EXCLUDES(mutex_);
  void Announce(const v1::ModelInfo& info) EXCLUDES(mutex_);
  // Throws when another state was announced under the version, or, once it `is_late`, none.
  void RequireAnnounced(const ModelIdentity& identity, bool is_late) const REQUIRES(mutex_);
  // The wanted version, or the newest one if its fetch has never begun.
  std::optional<v1::ModelInfo> NextToFetch() REQUIRES(mutex_);
  SnapshotPtr Fetch(const v1::ModelInfo& info);
  // One try: goes on behind the bytes that `assembler` has, and finishes it.
  grpc::Status ReadWeights(const v1::ModelInfo& info, grpc::ClientContext* context,
                           SnapshotAssembler* assembler, SnapshotPtr* snapshot);

  const std::unique_ptr<v1::Model::Stub> stub_;
  const ModelCacheOptions options_;
  const Log& log_;
  std::atomic<bool> stopping_{false};
  CallCanceller canceller_;
  Mutex mutex_;
  CondVar changed_;
  std::map<uint64_t, v1::ModelInfo> announced_ GUARDED_BY(mutex_);  // by version
  uint64_t newest_begun_ GUARDED_BY(mutex_) = 0;            // highest version whose fetch has begun
  std::optional<ModelIdentity> wanted_ GUARDED_BY(mutex_);  // what Get waits for
  SnapshotPtr answer_ GUARDED_BY(mutex_);                   // the wanted one
  std::exception_ptr failure_ GUARDED_BY(mutex_);           // why the wanted one cannot be had
  SnapshotPtr ahead_ GUARDED_BY(mutex_);                    // fetched before it was wanted
  std::thread thread_;
  ModelWatch watch_;  // last: calls Announce
};

}  // namespace ponder
