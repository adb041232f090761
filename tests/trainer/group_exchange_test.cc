#include "trainer/group_exchange.h"

#include <gtest/gtest.h>

namespace ponder {
namespace {

TrajectoryGroup Failed(uint64_t ordinal) {
  TrajectoryGroup group;
  group.lease.prompt.ordinal = ordinal;
  group.lease.prompt.task = "chain";
  group.lease.prompt.token_ids = {5, 7};
  group.lease.model = {.run_id = "quick-1",
                       .attempt = 1,
                       .model = "policy",
                       .version = 6,
                       .digest = std::string(64, 'a')};
  group.lease.stage = "reason";
  group.outcome = VerdictKind::kInfrastructureError;
  group.reason = "scoring failed";
  return group;
}

TEST(GroupExchangeTest, RankZeroKeepsItsGroupsInOrderWithWhatTheyTook) {
  TrajectoryGroup first = Failed(4);
  first.generate_s = 1.5;
  first.score_s = 0.25;
  TrajectoryGroup second = Failed(9);
  second.generate_s = 0.5;
  const auto comm = MakeLocalCommunicator();
  const std::vector<TrajectoryGroup> exchanged = BroadcastGroups(*comm, {first, second});
  ASSERT_EQ(exchanged.size(), 2U);
  EXPECT_EQ(exchanged[0].lease.prompt, first.lease.prompt);
  EXPECT_EQ(exchanged[0].reason, "scoring failed");
  EXPECT_EQ(exchanged[0].generate_s, 1.5);
  EXPECT_EQ(exchanged[0].score_s, 0.25);
  EXPECT_EQ(exchanged[1].lease.prompt.ordinal, 9U);
  EXPECT_EQ(exchanged[1].generate_s, 0.5);
}

}  // namespace
}  // namespace ponder
