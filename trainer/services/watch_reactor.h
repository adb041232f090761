// One Model.Watch stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <string>

#include "core/base/mutex.h"
#include "ponder/v1/model.grpc.pb.h"
#include "trainer/services/snapshot_store.h"

namespace ponder {

// Sends one ModelInfo per version. The queue holds no more than the store keeps: a caller that
// reads too slowly misses versions that it could not fetch any more. Owns itself until the call is
// done; the store may hold it longer.
class WatchReactor final : public grpc::ServerWriteReactor<v1::ModelInfo>, public SnapshotWatcher {
 public:
  // Begins to watch. `store` is borrowed and outlives the server.
  static WatchReactor* Start(SnapshotStore& store, const std::string& model);

  const std::string& model() const override { return model_; }
  void Enqueue(SnapshotPtr snapshot, size_t num_kept) override EXCLUDES(mutex_);
  void EnqueueEnd() override EXCLUDES(mutex_);
  void Pump() override EXCLUDES(mutex_);

  void OnWriteDone(bool ok) override EXCLUDES(mutex_);
  void OnCancel() override EXCLUDES(mutex_);
  void OnDone() override;

 private:
  WatchReactor(SnapshotStore& store, std::string model) : store_(store), model_(std::move(model)) {}

  SnapshotStore& store_;
  const std::string model_;
  std::shared_ptr<WatchReactor> self_;  // until OnDone
  v1::ModelInfo message_;               // owned by the write in progress
  Mutex mutex_;
  std::deque<SnapshotPtr> queue_ GUARDED_BY(mutex_);
  bool busy_ GUARDED_BY(mutex_) = false;       // a write is in progress, or Finish was called
  bool ending_ GUARDED_BY(mutex_) = false;     // finish when the queue is empty
  bool cancelled_ GUARDED_BY(mutex_) = false;  // finish at once
};

}  // namespace ponder
