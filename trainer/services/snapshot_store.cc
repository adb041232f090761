#include "trainer/services/snapshot_store.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ponder {

void SnapshotStore::KeepAtLeast(size_t num_kept) {
  MutexLock lock(mutex_);
  num_kept_ = std::max(num_kept_, num_kept);
}

void SnapshotStore::Publish(SnapshotPtr snapshot) {
  std::vector<std::shared_ptr<SnapshotWatcher>> told;
  std::vector<SnapshotPtr> evicted;  // freed after the lock: they are large
  {
    MutexLock lock(mutex_);
    auto& versions = snapshots_[snapshot->identity.model];
    const bool is_new = versions.emplace(snapshot->identity.version, snapshot).second;
    PONDER_CHECK(is_new) << "version " << snapshot->identity.version << " is published already";
    while (versions.size() > num_kept_) {
      evicted.push_back(std::move(versions.begin()->second));
      versions.erase(versions.begin());
    }
    for (const auto& watcher : watchers_) {
      if (watcher->model() != snapshot->identity.model) continue;
      watcher->Enqueue(snapshot, num_kept_);
      told.push_back(watcher);
    }
  }
  for (const auto& watcher : told) watcher->Pump();
}

SnapshotPtr SnapshotStore::Find(const std::string& model, uint64_t version) const {
  MutexLock lock(mutex_);
  const auto versions = snapshots_.find(model);
  if (versions == snapshots_.end()) return nullptr;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? nullptr : found->second;
}

void SnapshotStore::Watch(const std::shared_ptr<SnapshotWatcher>& watcher) {
  {
    MutexLock lock(mutex_);
    watchers_.push_back(watcher);
    const auto versions = snapshots_.find(watcher->model());
    if (versions != snapshots_.end()) {
      for (const auto& [version, snapshot] : versions->second)
        watcher->Enqueue(snapshot, num_kept_);
    }
    if (ended_) watcher->EnqueueEnd();
  }
  watcher->Pump();
}

void SnapshotStore::Unwatch(const SnapshotWatcher* watcher) {
  std::shared_ptr<SnapshotWatcher> removed;  // released after the lock
  MutexLock lock(mutex_);
  const auto found =
      std::find_if(watchers_.begin(), watchers_.end(),
                   [watcher](const auto& candidate) { return candidate.get() == watcher; });
  if (found == watchers_.end()) return;
  removed = std::move(*found);
  watchers_.erase(found);
}

void SnapshotStore::End() {
  std::vector<std::shared_ptr<SnapshotWatcher>> told;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    told = watchers_;
    for (const auto& watcher : told) watcher->EnqueueEnd();
  }
  for (const auto& watcher : told) watcher->Pump();
}

}  // namespace ponder
