// A mutex that clang's thread-safety analysis understands. std::mutex is no capability under
// libstdc++.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PONDER_TSA(x) __attribute__((x))
#else
#define PONDER_TSA(x)
#endif

// abseil, which gRPC's headers bring in, leaves two of these names defined.
#undef GUARDED_BY
#undef NO_THREAD_SAFETY_ANALYSIS
#define CAPABILITY(x) PONDER_TSA(capability(x))
#define SCOPED_CAPABILITY PONDER_TSA(scoped_lockable)
#define GUARDED_BY(x) PONDER_TSA(guarded_by(x))
#define REQUIRES(...) PONDER_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) PONDER_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) PONDER_TSA(release_capability(__VA_ARGS__))
#define EXCLUDES(...) PONDER_TSA(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS PONDER_TSA(no_thread_safety_analysis)

namespace ponder {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for its own lifetime.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable for Mutex. Waits release the mutex and take it again; every wait has a
// limit.
class CondVar {
 public:
  // Waits at most `limit`; spurious wake-ups happen, so callers loop over their condition.
  template <typename Rep, typename Period>
  void WaitFor(Mutex& mutex, std::chrono::duration<Rep, Period> limit) REQUIRES(mutex) {
    condition_.wait_for(mutex, limit);
  }
  void NotifyAll() { condition_.notify_all(); }
  void NotifyOne() { condition_.notify_one(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace ponder
