#include "cli/monitor/log_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using testing::ElementsAre;

TEST(LastLines, GivesTheLastOnesInOrder) {
  EXPECT_THAT(LastLines("a\nb\nc\n", 2), ElementsAre("b", "c"));
  EXPECT_THAT(LastLines("a\nb\nc", 2), ElementsAre("b", "c"));
  EXPECT_THAT(LastLines("a\n", 5), ElementsAre("a"));
  EXPECT_THAT(LastLines("", 5), ElementsAre());
  EXPECT_THAT(LastLines("a\n\nb\n", 2), ElementsAre("", "b"));
}

TEST(LastLines, ShowsOnlyTheLastStateOfARedrawnLine) {
  EXPECT_THAT(LastLines("\rstep 1\rstep 2\rstep 3\nend\r\n", 2), ElementsAre("step 3", "end"));
}

TEST(LogLine, HasTheFormOfALog) {
  const std::string line = LogLine('W', "up", "text");
  EXPECT_TRUE(HasTimeOfDay(line)) << line;
  EXPECT_EQ(line.substr(12), " W up  text");
  EXPECT_FALSE(HasTimeOfDay("pretrain 1/80 eta 0:21"));
}

}  // namespace
}  // namespace ponder
