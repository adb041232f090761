#include "core/config/nearest_name.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace ponder {
namespace {

TEST(EditDistanceTest, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("chian", "chain"), 1u) << "one swap";
  EXPECT_EQ(EditDistance("learning_rat", "learning_rate"), 1u);
  EXPECT_EQ(EditDistance("ca", "abc"), 3u) << "no edit between swapped letters";
}

TEST(EditDistanceTest, IsSymmetricAndBoundedByTheLongerName) {
  EXPECT_TRUE(rc::check([](const std::string& a, const std::string& b) {
    const size_t distance = EditDistance(a, b);
    RC_ASSERT(distance == EditDistance(b, a));
    RC_ASSERT(distance <= std::max(a.size(), b.size()));
    RC_ASSERT((distance == 0) == (a == b));
  }));
}

TEST(NearestNameTest, TakesTheNearestOfThoseThatAreNear) {
  EXPECT_EQ(NearestName("num_step", {"num_epochs", "num_steps", "save_steps"}), "num_steps");
  EXPECT_EQ(NearestName("zzz", {"num_epochs", "num_steps"}), "");
  EXPECT_EQ(NearestName("x", {}), "");
}

TEST(NearestNameTest, HintsNameAllWhenNoneIsNear) {
  EXPECT_EQ(NameHint("sed", {"seed", "dir"}, "its keys are"), "; did you mean 'seed'?");
  EXPECT_EQ(NameHint("zzzzzz", {"seed", "dir"}, "its keys are"), "; its keys are seed, dir");
  EXPECT_EQ(NameHint("zzzzzz", {}, "the tasks are"), "; the tasks are (none)");
}

}  // namespace
}  // namespace ponder
