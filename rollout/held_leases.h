// The leases a worker holds: shared by its main, submit and heartbeat threads.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/base/mutex.h"

namespace ponder {

// Thread safe.
class HeldLeases {
 public:
  void Add(uint64_t lease_id) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    held_.insert(lease_id);
  }
  void Remove(uint64_t lease_id) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    held_.erase(lease_id);
  }
  // False once the lease was removed: its work is no longer wanted.
  bool Holds(uint64_t lease_id) const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return held_.contains(lease_id);
  }
  std::vector<uint64_t> All() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return {held_.begin(), held_.end()};
  }

 private:
  mutable Mutex mutex_;
  std::set<uint64_t> held_ GUARDED_BY(mutex_);
};

}  // namespace ponder
