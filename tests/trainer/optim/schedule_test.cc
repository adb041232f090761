#include "trainer/optim/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

ScheduleConfig Config(const std::string& name, int64_t warmup, int64_t decay, double final_ratio) {
  return {.name = name, .warmup_steps = warmup, .decay_steps = decay, .final_ratio = final_ratio};
}

TEST(ScheduleTest, ConstantStaysAtTheBaseRate) {
  const Schedule schedule(Config("constant", 0, 0, 0), 0.5);
  EXPECT_EQ(schedule.LearningRate(0), 0.5);
  EXPECT_EQ(schedule.LearningRate(1'000'000), 0.5);
}

TEST(ScheduleTest, WarmUpRisesInEqualPartsAndTheFirstUpdateIsNotLost) {
  for (const char* name : {"constant", "linear", "cosine"}) {
    const Schedule schedule(Config(name, 4, 100, 0), 2.0);
    EXPECT_DOUBLE_EQ(schedule.LearningRate(0), 0.5) << name;
    EXPECT_DOUBLE_EQ(schedule.LearningRate(1), 1.0) << name;
    EXPECT_DOUBLE_EQ(schedule.LearningRate(3), 2.0) << name;
    EXPECT_DOUBLE_EQ(schedule.LearningRate(4), 2.0) << name;
  }
}

TEST(ScheduleTest, LinearFallsStraightToTheFinalRatioAndStays) {
  const Schedule schedule(Config("linear", 50, 1600, 0.1), 4e-3);
  EXPECT_DOUBLE_EQ(schedule.LearningRate(50), 4e-3);
  EXPECT_DOUBLE_EQ(schedule.LearningRate(825), 4e-3 * 0.55);  // half way
  EXPECT_DOUBLE_EQ(schedule.LearningRate(1600), 4e-4);
  EXPECT_DOUBLE_EQ(schedule.LearningRate(5000), 4e-4);
}

TEST(ScheduleTest, CosineIsSlowAtBothEnds) {
  const Schedule schedule(Config("cosine", 2, 8, 0.0), 3e-3);
  // 3e-3 * (1 + cos(pi * i / 6)) / 2
  const double expected[] = {3e-3,    0.002799038105676658,  0.00225, 0.0015,
                             0.00075, 0.00020096189432334193};
  for (int64_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(schedule.LearningRate(2 + i), expected[i], 1e-17) << i;
  }
  EXPECT_EQ(schedule.LearningRate(8), 0.0);
}

TEST(ScheduleTest, RefusesWhatItCannotFollow) {
  EXPECT_THROW(Schedule(Config("exponential", 0, 10, 0), 1.0), ConfigError);
  EXPECT_THROW(Schedule(Config("linear", -1, 10, 0), 1.0), ConfigError);
  try {
    Schedule(Config("linear", 50, 50, 0), 1.0);
    FAIL() << "accepted a decay that ends with the warm-up";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("decay_steps above warmup_steps (50), got 50"));
  }
}

}  // namespace
}  // namespace ponder
