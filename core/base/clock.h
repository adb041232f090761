// The clock seam: leases, deadlines and timings read time only through it, so tests can move it.
#pragma once

#include <chrono>

#include "core/base/mutex.h"

namespace ponder {

using Duration = std::chrono::nanoseconds;
// Monotonic time since an arbitrary start. Never the wall clock: a jump must not expire a lease.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  // Blocks the caller for `duration` of this clock's time.
  virtual void SleepFor(Duration duration) = 0;
};

// std::chrono::steady_clock.
class RealClock : public Clock {
 public:
  TimePoint Now() const override;
  void SleepFor(Duration duration) override;
};

// Moves only when told to: SleepFor advances it at once. Thread safe.
class FakeClock : public Clock {
 public:
  TimePoint Now() const override;
  void SleepFor(Duration duration) override { Advance(duration); }
  void Advance(Duration duration);

 private:
  mutable Mutex mutex_;
  TimePoint now_ GUARDED_BY(mutex_){};
};

// Seconds between two points, for metrics.
inline double SecondsBetween(TimePoint begin, TimePoint end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace ponder
