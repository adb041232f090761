#include "trainer/services/session_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TimePoint At(int64_t seconds) { return TimePoint{} + std::chrono::seconds(seconds); }

Session Worker(const std::string& id, const std::string& name) {
  return {.id = id, .role = SessionRole::kWorker, .name = name, .address = {}, .last_seen = {}};
}

Session Reward(const std::string& id, const std::string& name, const std::string& address) {
  return {
      .id = id, .role = SessionRole::kReward, .name = name, .address = address, .last_seen = {}};
}

class SessionTableTest : public ::testing::Test {
 protected:
  SessionTable table_{std::chrono::seconds(30)};
};

TEST_F(SessionTableTest, NewcomerOfTheSameNameAndRoleReplacesTheOldSession) {
  EXPECT_THAT(table_.Register(Worker("s1", "w"), At(0)), IsEmpty());
  EXPECT_THAT(table_.Register(Reward("s2", "w", "h:1"), At(0)), IsEmpty()) << "another role";
  EXPECT_THAT(table_.Register(Worker("s3", "other"), At(0)), IsEmpty());
  EXPECT_THAT(table_.Register(Worker("s4", "w"), At(0)), ElementsAre("s1"));
  EXPECT_FALSE(table_.Knows("s1"));
  EXPECT_TRUE(table_.Knows("s4"));
  EXPECT_EQ(table_.Count(SessionRole::kWorker), 2u);
  EXPECT_EQ(table_.Count(SessionRole::kReward), 1u);
}

TEST_F(SessionTableTest, RegisteringAgainReplacesNobody) {
  table_.Register(Worker("s1", "w"), At(0));
  EXPECT_THAT(table_.Register(Worker("s1", "w"), At(20)), IsEmpty());
  EXPECT_THAT(table_.Expire(At(40)), IsEmpty());
}

TEST_F(SessionTableTest, SilenceEndsASessionAndASignOfLifeKeepsIt) {
  table_.Register(Worker("silent", "a"), At(0));
  table_.Register(Worker("alive", "b"), At(0));
  EXPECT_NE(table_.Touch("alive", At(20)), nullptr);
  EXPECT_THAT(table_.Expire(At(29)), IsEmpty());
  const std::vector<Session> dead = table_.Expire(At(30));
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].id, "silent");
  EXPECT_EQ(table_.Touch("silent", At(30)), nullptr);
}

TEST_F(SessionTableTest, PeersVersionGrowsExactlyWhenTheListChanges) {
  const uint64_t start = table_.peers_version();
  EXPECT_GE(start, 1u);
  table_.Register(Worker("w1", "w"), At(0));
  EXPECT_EQ(table_.peers_version(), start) << "workers are no peers";
  table_.Register(Reward("r1", "b", "h:1"), At(0));
  EXPECT_EQ(table_.peers_version(), start + 1);
  table_.Register(Reward("r2", "a", "h:2"), At(0));
  EXPECT_THAT(table_.reward_addresses(), ElementsAre("h:2", "h:1")) << "in order of names";
  table_.Register(Reward("r3", "b", "h:3"), At(0));
  EXPECT_THAT(table_.reward_addresses(), ElementsAre("h:2", "h:3"));
  EXPECT_EQ(table_.peers_version(), start + 3);
  table_.Register(Reward("r3", "b", "h:3"), At(1));
  EXPECT_EQ(table_.peers_version(), start + 3);
  table_.Expire(At(30));
  EXPECT_THAT(table_.reward_addresses(), ElementsAre("h:3"));
  EXPECT_EQ(table_.peers_version(), start + 4);
}

TEST_F(SessionTableTest, CountsSessionsThatDoNotKnowOfTheEnd) {
  table_.Register(Worker("w1", "a"), At(0));
  table_.Register(Worker("w2", "b"), At(0));
  table_.Register(Reward("r1", "c", "h:1"), At(0));
  table_.NoteTold("w1");
  table_.NoteTold("nobody");
  EXPECT_EQ(table_.NumNotTold(), 2u);
  table_.NoteTold("r1");
  EXPECT_EQ(table_.NumNotTold(), 1u);
}

TEST_F(SessionTableTest, TheNumberOfSessionsIsBounded) {
  for (size_t i = 0; i < SessionTable::kMaxSessions; ++i) {
    table_.Register(Worker("s" + std::to_string(i), "n" + std::to_string(i)), At(0));
  }
  EXPECT_THROW(table_.Register(Worker("one", "too many"), At(0)), Error);
  EXPECT_THAT(table_.Register(Worker("new", "n7"), At(0)), ElementsAre("s7")) << "a replacement";
}

}  // namespace
}  // namespace ponder
