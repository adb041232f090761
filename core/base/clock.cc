#include "core/base/clock.h"

#include <thread>

namespace ponder {

TimePoint RealClock::Now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

void RealClock::SleepFor(Duration duration) { std::this_thread::sleep_for(duration); }

TimePoint FakeClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

void FakeClock::Advance(Duration duration) {
  MutexLock lock(mutex_);
  now_ += duration;
}

}  // namespace ponder
