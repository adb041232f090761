#include "cli/report/scale.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace ponder::report {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> labels;
  for (const Tick& tick : ticks) labels.push_back(tick.label);
  return labels;
}

TEST(ScaleTest, MapsTheEndsOfTheDomainToTheEndsOfTheRange) {
  const Scale y{.low = 0, .high = 2, .begin = 180, .end = 20, .log = false};
  EXPECT_DOUBLE_EQ(y(0), 180);
  EXPECT_DOUBLE_EQ(y(2), 20);
  EXPECT_DOUBLE_EQ(y(1), 100);
  const Scale decades{.low = 1e-4, .high = 1, .begin = 0, .end = 100, .log = true};
  EXPECT_NEAR(decades(1e-2), 50, 1e-9);
}

TEST(ScaleTest, MapsADomainWithoutWidthToTheMiddle) {
  const Scale scale{.low = 3, .high = 3, .begin = 0, .end = 10, .log = false};
  EXPECT_DOUBLE_EQ(scale(3), 5);
}

TEST(TicksTest, AreRoundAndHaveTheDigitsOfTheirDistance) {
  EXPECT_THAT(Labels(LinearTicks(0, 1, 6)), ElementsAre("0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(Labels(LinearTicks(1, 60, 6)), ElementsAre("10", "20", "30", "40", "50", "60"));
  EXPECT_THAT(Labels(LinearTicks(0, 20000, 3)), ElementsAre("0", "10k", "20k"));
  EXPECT_THAT(Labels(LinearTicks(-0.002, 0.002, 3)), ElementsAre("\u22120.002", "0", "0.002"));
  EXPECT_THAT(Labels(LinearTicks(0, 3e-5, 4)), ElementsAre("0", "1e-5", "2e-5", "3e-5"));
}

TEST(TicksTest, FindATickEvenWhereOnlyTwoFit) {
  EXPECT_THAT(Labels(LinearTicks(1, 300, 2)), ElementsAre("200"));
  EXPECT_THAT(Labels(LinearTicks(1, 2000, 2)), ElementsAre("1000", "2000"));
}

TEST(TicksTest, OfALogarithmArePowersOfTen) {
  EXPECT_THAT(Labels(LogTicks(1e-6, 10, 5)), ElementsAre("1e-6", "1e-4", "0.01", "1"));
  EXPECT_THAT(Labels(LogTicks(1, 1e5, 6)), ElementsAre("1", "10", "100", "1000", "1e4", "1e5"));
}

RC_GTEST_PROP(TicksTest, LieInTheDomainAndAreFew, ()) {
  const int exponent = *rc::gen::inRange(-12, 12);
  const double low = *rc::gen::inRange(-1000, 1000) * std::pow(10.0, exponent);
  const double width = *rc::gen::inRange(1, 1000) * std::pow(10.0, exponent);
  const int max_count = *rc::gen::inRange(2, 9);
  const std::vector<Tick> ticks = LinearTicks(low, low + width, max_count);
  RC_ASSERT(ticks.size() <= static_cast<size_t>(max_count));
  for (const Tick& tick : ticks) {
    RC_ASSERT(tick.value >= low - 1e-5 * width - 1e-5 * std::fabs(low));
    RC_ASSERT(tick.value <= low + width + 1e-5 * width + 1e-5 * std::fabs(low));
  }
}

RC_GTEST_PROP(RoundDomainTest, HoldsWhatItIsGiven, ()) {
  const double low = *rc::gen::inRange(-1000, 1000) * 0.37;
  const double width = *rc::gen::inRange(0, 1000) * 0.011;
  const Domain domain = RoundDomain(low, low + width, 5);
  RC_ASSERT(domain.low <= low + 1e-5 && domain.high >= low + width - 1e-5);
  RC_ASSERT(domain.high > domain.low);
}

TEST(RoundDomainTest, EndsAtRoundValues) {
  const Domain domain = RoundDomain(0.35, 0.99, 5);
  EXPECT_NEAR(domain.low, 0.2, 1e-12);
  EXPECT_NEAR(domain.high, 1.0, 1e-12);
  const Domain decades = RoundLogDomain(3e-6, 3.4);
  EXPECT_NEAR(decades.low, 1e-6, 1e-18);
  EXPECT_NEAR(decades.high, 10, 1e-9);
}

TEST(ShortNumberTest, IsReadable) {
  EXPECT_EQ(ShortNumber(0), "0");
  EXPECT_EQ(ShortNumber(0.99609375), "0.9961");
  EXPECT_EQ(ShortNumber(-9.31e-10), "\u22129.31e-10");
  EXPECT_EQ(ShortNumber(47821), "47.82k");
  EXPECT_EQ(ShortNumber(236900000), "236.9M");
  EXPECT_EQ(ShortNumber(std::nan("")), "-");
}

}  // namespace
}  // namespace ponder::report
