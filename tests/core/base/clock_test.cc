#include "core/base/clock.h"

#include <gtest/gtest.h>

namespace ponder {
namespace {

using std::chrono::seconds;

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(seconds(3));
  EXPECT_EQ(clock.Now() - start, seconds(3));
  EXPECT_EQ(SecondsBetween(start, clock.Now()), 3.0);
}

TEST(FakeClock, SleepsByMovingItself) {
  FakeClock clock;
  const TimePoint start = clock.Now();
  clock.SleepFor(seconds(86'400));
  EXPECT_EQ(clock.Now() - start, seconds(86'400));
}

TEST(RealClock, NeverGoesBack) {
  RealClock clock;
  TimePoint last = clock.Now();
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
  clock.SleepFor(std::chrono::milliseconds(1));
  EXPECT_GE(clock.Now() - last, std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace ponder
