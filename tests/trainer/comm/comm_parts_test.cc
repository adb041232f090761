// The parts of the collectives that need no peers.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "core/base/error.h"
#include "trainer/comm/communicator.h"
#include "trainer/comm/mpi_session.h"
#include "trainer/comm/pacer.h"
#include "trainer/comm/rank_order_fold.h"

namespace ponder {
namespace {

TEST(ShardOf, RangesCoverTheWholeInOrderAndDifferByOneAtMost) {
  rc::check([] {
    const auto total = *rc::gen::inRange<uint64_t>(0, uint64_t{1} << 40);
    const auto size = *rc::gen::inRange(1, 64);
    uint64_t end = 0;
    for (int rank = 0; rank < size; ++rank) {
      const ShardRange range = ShardOf(total, rank, size);
      RC_ASSERT(range.begin == end);
      const uint64_t base = total / static_cast<uint64_t>(size);
      RC_ASSERT(range.size() == base || range.size() == base + 1);
      end = range.end;
    }
    RC_ASSERT(end == total);
  });
}

TEST(ShardOf, GivesTheRestToTheFirstRanks) {
  EXPECT_EQ(ShardOf(8, 0, 3).end, 3u);
  EXPECT_EQ(ShardOf(8, 1, 3).end, 6u);
  EXPECT_EQ(ShardOf(8, 2, 3).end, 8u);
  EXPECT_EQ(ShardOf(1, 2, 3).size(), 0u);
}

TEST(ShardOf, RefusesARankOutsideTheWorld) {
  EXPECT_THROW(ShardOf(8, 3, 3), Error);
  EXPECT_THROW(ShardOf(8, -1, 3), Error);
}

TEST(FoldInRankOrder, AddsFromTheLeft) {
  // (1e8 + 1) - 1e8 is 0 in float, 1e8 - 1e8 + 1 is 1: only the left fold gives each.
  const float big = 1e8F, one = 1.0F, minus = -1e8F;
  float out = -1;
  FoldInRankOrder(std::vector<const void*>{&big, &one, &minus}, 1, DType::kF32, FoldKind::kSum,
                  &out);
  EXPECT_EQ(out, 0.0F);
  FoldInRankOrder(std::vector<const void*>{&big, &minus, &one}, 1, DType::kF32, FoldKind::kSum,
                  &out);
  EXPECT_EQ(out, 1.0F);
}

TEST(FoldInRankOrder, MayWriteOverAContribution) {
  std::vector<double> a(1300, 1.5), b(1300, 2.0);
  FoldInRankOrder(std::vector<const void*>{a.data(), b.data()}, a.size(), DType::kF64,
                  FoldKind::kSum, b.data());
  EXPECT_EQ(b, std::vector<double>(1300, 3.5));
}

TEST(FoldInRankOrder, TouchesNothingBeyondTheCount) {
  std::vector<float> a(600, 1.0F), b(600, 2.0F), out(600, -1.0F);
  FoldInRankOrder(std::vector<const void*>{a.data(), b.data()}, 599, DType::kF32, FoldKind::kSum,
                  out.data());
  EXPECT_EQ(out[598], 3.0F);
  EXPECT_EQ(out[599], -1.0F);
}

TEST(FoldInRankOrder, IntegerSumsWrapAround) {
  const int64_t most = INT64_MAX, one = 1;
  int64_t out = 0;
  FoldInRankOrder(std::vector<const void*>{&most, &one}, 1, DType::kI64, FoldKind::kSum, &out);
  EXPECT_EQ(out, INT64_MIN);
}

TEST(FoldInRankOrder, NotANumberWinsTheMaximumFromEitherSide) {
  const float nan = NAN, one = 1.0F;
  float out = 0;
  FoldInRankOrder(std::vector<const void*>{&nan, &one}, 1, DType::kF32, FoldKind::kMax, &out);
  EXPECT_TRUE(std::isnan(out));
  FoldInRankOrder(std::vector<const void*>{&one, &nan}, 1, DType::kF32, FoldKind::kMax, &out);
  EXPECT_TRUE(std::isnan(out));
}

TEST(FoldInRankOrder, RefusesOtherDtypes) {
  const float one = 1.0F;
  float out = 0;
  EXPECT_THROW(
      FoldInRankOrder(std::vector<const void*>{&one}, 1, DType::kBF16, FoldKind::kSum, &out),
      Error);
  EXPECT_FALSE(IsReducible(DType::kBF16));
  EXPECT_TRUE(IsReducible(DType::kI64));
}

TEST(WorldSizeProblem, NamesTheLaunchersCountWhenRanksDoNotSeeEachOther) {
  const std::string text = WorldSizeProblem("4", nullptr, 1);
  EXPECT_NE(text.find("started 4 processes, but each sees a world of 1"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_NE(WorldSizeProblem(nullptr, "2", 1), "");
}

TEST(WorldSizeProblem, IsSilentWhenTheWorldIsWhole) {
  EXPECT_EQ(WorldSizeProblem("4", nullptr, 4), "");
  EXPECT_EQ(WorldSizeProblem("1", nullptr, 1), "");
  EXPECT_EQ(WorldSizeProblem(nullptr, nullptr, 1), "");
}

TEST(Pacer, SaysHowLongItWaitedOnceTheTimeoutHasPassed) {
  Pacer pacer({std::chrono::milliseconds(0)});
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(pacer.Pause(), "no answer for 0.0 s (a peer died or hangs)");
}

TEST(Pacer, WithoutATimeoutNeverGivesUp) {
  Pacer pacer({std::chrono::hours(1), std::chrono::microseconds(1)});
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(pacer.Pause(), "");
}

TEST(LocalCommunicator, AbortIsAnExceptionThatNamesTheReason) {
  const auto comm = MakeLocalCommunicator();
  try {
    comm->Abort("diverged at step 3", 76);
    FAIL();
  } catch (const CommError& error) {
    EXPECT_STREQ(error.what(), "the run ends with exit code 76: diverged at step 3");
  }
}

}  // namespace
}  // namespace ponder
