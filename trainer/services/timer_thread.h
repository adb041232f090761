// A thread that calls a function again and again until it is destroyed.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "core/base/mutex.h"

namespace ponder {

// The function must not throw. Real time paces it, so that it also runs under a fake clock.
class TimerThread {
 public:
  TimerThread(std::chrono::milliseconds period, std::function<void()> tick);
  // Waits for a call in progress.
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

 private:
  void Run() EXCLUDES(mutex_);

  const std::chrono::milliseconds period_;
  const std::function<void()> tick_;
  Mutex mutex_;
  CondVar stopped_;
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace ponder
