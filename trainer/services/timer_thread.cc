#include "trainer/services/timer_thread.h"

#include <utility>

namespace ponder {

TimerThread::TimerThread(std::chrono::milliseconds period, std::function<void()> tick)
    : period_(period), tick_(std::move(tick)), thread_([this] { Run(); }) {}

TimerThread::~TimerThread() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    stopped_.NotifyAll();
  }
  thread_.join();
}

void TimerThread::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stop_) stopped_.WaitFor(mutex_, period_);
      if (stop_) return;
    }
    tick_();
  }
}

}  // namespace ponder
