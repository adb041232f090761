// A closable bounded FIFO between threads: the only way that threads of a program hand work over.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include "core/base/mutex.h"

namespace ponder {

// Thread safe. Owns its elements. Closing wakes everybody: pushes fail, pops drain what is left.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // Blocks while full, at most `limit`. False when the queue is closed or the limit passed; the
  // value is then dropped by the caller's move.
  bool Push(T value, std::chrono::nanoseconds limit) EXCLUDES(mutex_) {
    const auto end = std::chrono::steady_clock::now() + limit;
    MutexLock lock(mutex_);
    while (!closed_ && items_.size() >= capacity_) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return false;
      changed_.WaitFor(mutex_, end - now);
    }
    if (closed_) return false;
    items_.push_back(std::move(value));
    changed_.NotifyAll();
    return true;
  }

  // Blocks while empty, at most `limit`. Empty when closed and drained, or when the limit passed.
  std::optional<T> Pop(std::chrono::nanoseconds limit) EXCLUDES(mutex_) {
    const auto end = std::chrono::steady_clock::now() + limit;
    MutexLock lock(mutex_);
    while (!closed_ && items_.empty()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= end) return std::nullopt;
      changed_.WaitFor(mutex_, end - now);
    }
    if (items_.empty()) return std::nullopt;
    T value = std::move(items_.front());
    items_.pop_front();
    changed_.NotifyAll();
    return value;
  }

  // Idempotent.
  void Close() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }

  bool closed() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return closed_;
  }

  size_t size() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace ponder
