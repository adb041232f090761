// The published states that workers can still fetch, and the streams that are told of new ones.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/weights/snapshot.h"

namespace ponder {

// Someone who is told of every version of one model, in order.
class SnapshotWatcher {
 public:
  virtual ~SnapshotWatcher() = default;
  virtual const std::string& model() const = 0;
  // Queues `snapshot`, of the watched model. No more than the newest `num_kept` need to stay
  // queued: the others cannot be fetched any more. Called under the store's lock, so that the order
  // holds: must only queue.
  virtual void Enqueue(SnapshotPtr snapshot, size_t num_kept) = 0;
  // Queues the end: nothing follows.
  virtual void EnqueueEnd() = 0;
  // Works on the queue. Called without locks held, perhaps by several threads at once; must not
  // block.
  virtual void Pump() = 0;
};

// Thread safe. Keeps the newest versions of each model; a transfer that has begun keeps its own.
class SnapshotStore {
 public:
  explicit SnapshotStore(size_t num_kept) : num_kept_(num_kept) {}

  // From now on at least `num_kept` versions of each model stay.
  void KeepAtLeast(size_t num_kept) EXCLUDES(mutex_);
  void Publish(SnapshotPtr snapshot) EXCLUDES(mutex_);
  // Null when the version was never published or is gone. Does not compare digests.
  SnapshotPtr Find(const std::string& model, uint64_t version) const EXCLUDES(mutex_);
  // Tells `watcher` of what is there, oldest first, and from then on of every publish.
  void Watch(const std::shared_ptr<SnapshotWatcher>& watcher) EXCLUDES(mutex_);
  void Unwatch(const SnapshotWatcher* watcher) EXCLUDES(mutex_);
  // Ends every stream, present and to come.
  void End() EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  size_t num_kept_ GUARDED_BY(mutex_);
  std::map<std::string, std::map<uint64_t, SnapshotPtr>> snapshots_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<SnapshotWatcher>> watchers_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
};

}  // namespace ponder
