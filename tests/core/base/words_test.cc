#include "core/base/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Words, AreWhatLiesBetweenSpacesOfAnyKind) {
  EXPECT_THAT(WordsOf("4 + 8 >"), ElementsAre("4", "+", "8", ">"));
  EXPECT_THAT(WordsOf(" \t4\n+\r\v\f8  "), ElementsAre("4", "+", "8"));
  EXPECT_THAT(WordsOf("one"), ElementsAre("one"));
  EXPECT_THAT(WordsOf(std::string_view("a\0b c", 5)),
              ElementsAre(std::string_view("a\0b", 3), "c"));
}

TEST(Words, AreNoneInBlankText) {
  EXPECT_THAT(WordsOf(""), IsEmpty());
  EXPECT_THAT(WordsOf(" \n "), IsEmpty());
}

}  // namespace
}  // namespace ponder
