// What scoring threads take for one call and put back: each is used by one thread at a time.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace ponder {

// Thread safe. Owns what is idle; there are never more than threads that call.
template <typename T>
class IdlePool {
 public:
  // Null when none is idle.
  std::unique_ptr<T> Take() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<T> taken = std::move(idle_.back());
    idle_.pop_back();
    return taken;
  }
  void PutBack(std::unique_ptr<T> item) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    idle_.push_back(std::move(item));
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_ GUARDED_BY(mutex_);
};

}  // namespace ponder
