#include "trainer/experience/lease_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/experience/experience_helpers.h"

namespace ponder::testing {
namespace {

WorkItem ItemOf(bool training, int64_t step, uint64_t position) {
  WorkItem item;
  item.key = {.training = training, .step = step, .position = position};
  item.lease.prompt.ordinal = OrdinalOf(static_cast<uint64_t>(step) * 10 + position);
  return item;
}

TEST(LeaseTable, LeasesInOrderOfKeysWhateverTheOrderOfArrival) {
  LeaseTable table(std::chrono::seconds(1), /*first_lease_id=*/100);
  table.Add(ItemOf(true, 2, 0));
  table.Add(ItemOf(true, 1, 1));
  table.Add(ItemOf(true, 1, 0));
  table.Add(ItemOf(false, 0, 3));
  const std::vector<PromptLease> leases = table.Acquire("a", 1, 8, At(0), PromptOf);
  EXPECT_THAT(OrdinalsOf(leases),
              ::testing::ElementsAre(OrdinalOf(3), OrdinalOf(10), OrdinalOf(11), OrdinalOf(20)));
  EXPECT_EQ(leases[0].lease_id, 100u);
}

TEST(LeaseTable, ThrowingPromptSourceChangesNothing) {
  LeaseTable table(std::chrono::seconds(1), 1);
  table.Add(ItemOf(true, 0, 0));
  table.Add(ItemOf(true, 0, 1));
  const auto source = [](uint64_t ordinal) {
    if (ordinal == OrdinalOf(1)) throw std::runtime_error("unreadable");
    return PromptOf(ordinal);
  };
  EXPECT_THROW(table.Acquire("a", 1, 2, At(0), source), std::runtime_error);
  EXPECT_EQ(table.num_issued(), 0u);
  EXPECT_EQ(table.num_waiting(), 2u);
}

TEST(LeaseTable, RemembersTheFateOfABoundedNumberOfLeases) {
  LeaseTable table(std::chrono::seconds(1), 1);
  constexpr uint64_t kLeases = LeaseTable::kMaxPastLeases + 10;
  for (uint64_t seq = 1; seq <= kLeases; ++seq) {
    table.Add(ItemOf(true, 0, seq));
    table.Accept(table.Acquire("a", seq, 1, At(0), PromptOf).at(0).lease_id);
  }
  EXPECT_EQ(table.Check("a", kLeases, 0), LeaseTable::Claim::kDuplicate);
  EXPECT_EQ(table.Check("a", 1, 0), LeaseTable::Claim::kStale) << "forgotten";
  EXPECT_EQ(table.num_in_flight(), 0u);
}

}  // namespace
}  // namespace ponder::testing
