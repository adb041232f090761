#include "tests/trainer/comm/communicator_suite.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <thread>

#include "core/base/error.h"

namespace ponder {
namespace {

// Around a tile of the fold (512), and above several messages and blocks.
const std::vector<uint64_t> kCounts{0, 1, 2, 3, 7, 511, 512, 513, 4096, 100'003};

std::vector<uint64_t> OffsetsOf(const std::vector<uint64_t>& counts) {
  std::vector<uint64_t> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

// Ranges of very different lengths, some empty.
std::vector<std::vector<uint64_t>> UnevenRanges(int size) {
  const auto n = static_cast<size_t>(size);
  std::vector<uint64_t> growing(n), only_first(n, 0), only_last(n, 0), none(n, 0),
      second_empty(n, 700);
  for (size_t r = 0; r < n; ++r) growing[r] = 1 + 3001 * r;
  only_first.front() = 2500;
  only_last.back() = 2500;
  second_empty[std::min<size_t>(1, n - 1)] = 0;
  return {growing, only_first, only_last, none, second_empty};
}

TEST_P(CommunicatorSuite, KnowsItsPlace) {
  EXPECT_EQ(comm().backend(), GetParam());
  EXPECT_GE(rank(), 0);
  EXPECT_LT(rank(), size());
}

TEST_P(CommunicatorSuite, SumIsTheFoldInRankOrderBitForBit) {
  for (const uint64_t count : kCounts) {
    auto f32 = Buffer(Contribution<float>(rank(), count));
    auto f64 = Buffer(Contribution<double>(rank(), count));
    auto i64 = Buffer(Contribution<int64_t>(rank(), count));
    comm().AllReduceSum(f32.view());
    comm().AllReduceSum(f64.view());
    comm().AllReduceSum(i64.view());
    EXPECT_TRUE(SameBits(f32.Values(), SumInOrder<float>(RanksInOrder(), count))) << count;
    EXPECT_TRUE(SameBits(f64.Values(), SumInOrder<double>(RanksInOrder(), count))) << count;
    EXPECT_TRUE(SameBits(i64.Values(), SumInOrder<int64_t>(RanksInOrder(), count))) << count;
  }
}

// The data of the test above tells a wrong order from the right one.
TEST_P(CommunicatorSuite, TestDataIsSensitiveToTheOrder) {
  if (size() < 3) GTEST_SKIP() << "the sum of two is the same in both orders";
  std::vector<int> reversed = RanksInOrder();
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_FALSE(SameBits(SumInOrder<float>(reversed, 513), SumInOrder<float>(RanksInOrder(), 513)));
}

TEST_P(CommunicatorSuite, MaximumOfEveryElement) {
  auto buffer = Buffer(std::vector<double>{-1.0 * rank(), 1.0 * rank(), -7.0});
  comm().AllReduceMax(buffer.view());
  EXPECT_EQ(buffer.Values(), (std::vector<double>{-0.0, size() - 1.0, -7.0}));
  auto integers = Buffer(std::vector<int64_t>{rank() == 0 ? -5 : -6});
  comm().AllReduceMax(integers.view());
  EXPECT_EQ(integers.Values(), std::vector<int64_t>{-5});
}

TEST_P(CommunicatorSuite, NotANumberOfAnyRankWinsTheMaximum) {
  for (int bad = 0; bad < size(); ++bad) {
    auto buffer =
        Buffer(std::vector<float>{rank() == bad ? std::numeric_limits<float>::quiet_NaN() : 1.0F});
    comm().AllReduceMax(buffer.view());
    EXPECT_TRUE(std::isnan(buffer.Values()[0])) << "from rank " << bad;
  }
}

TEST_P(CommunicatorSuite, ReduceScatterGivesEachRankItsRangeOfTheSum) {
  for (const std::vector<uint64_t>& counts : UnevenRanges(size())) {
    const std::vector<uint64_t> offsets = OffsetsOf(counts);
    const auto own = static_cast<size_t>(rank());
    auto input = Buffer(Contribution<float>(rank(), offsets.back()));
    auto output = Buffer(std::vector<float>(counts[own], -1.0F));
    comm().ReduceScatterSum(input.view(), output.view(), counts);
    const std::vector<float> sum = SumInOrder<float>(RanksInOrder(), offsets.back());
    const std::vector<float> range(sum.begin() + static_cast<int64_t>(offsets[own]),
                                   sum.begin() + static_cast<int64_t>(offsets[own + 1]));
    EXPECT_TRUE(SameBits(output.Values(), range));
    EXPECT_TRUE(SameBits(input.Values(), Contribution<float>(rank(), offsets.back())))
        << "the input was changed";
  }
}

TEST_P(CommunicatorSuite, AllGatherJoinsTheRanges) {
  for (const std::vector<uint64_t>& counts : UnevenRanges(size())) {
    const std::vector<uint64_t> offsets = OffsetsOf(counts);
    const auto own = static_cast<size_t>(rank());
    std::vector<uint8_t> expected;
    for (size_t r = 0; r < counts.size(); ++r) {
      expected.insert(expected.end(), counts[r], static_cast<uint8_t>(r + 1));
    }
    auto input = Buffer(std::vector<uint8_t>(counts[own], static_cast<uint8_t>(own + 1)));
    auto output = Buffer(std::vector<uint8_t>(offsets.back(), 0));
    comm().AllGather(input.view(), output.view(), counts);
    EXPECT_EQ(output.Values(), expected);

    std::vector<uint8_t> partial(offsets.back(), 0);
    std::fill_n(partial.begin() + static_cast<int64_t>(offsets[own]), counts[own],
                static_cast<uint8_t>(own + 1));
    auto in_place = Buffer(partial);
    comm().AllGather(in_place.view(offsets[own], counts[own]), in_place.view(), counts);
    EXPECT_EQ(in_place.Values(), expected);
  }
}

TEST_P(CommunicatorSuite, ReduceScatterAndAllGatherMakeAnAllReduce) {
  constexpr uint64_t kCount = 1'200'001;  // above two blocks of 4 MiB
  std::vector<uint64_t> counts;
  for (int r = 0; r < size(); ++r) counts.push_back(ShardOf(kCount, r, size()).size());
  auto whole = Buffer(Contribution<double>(rank(), kCount));
  auto shard = Buffer(std::vector<double>(counts[static_cast<size_t>(rank())]));
  auto joined = Buffer(std::vector<double>(kCount));
  comm().ReduceScatterSum(whole.view(), shard.view(), counts);
  comm().AllGather(shard.view(), joined.view(), counts);
  comm().AllReduceSum(whole.view());
  EXPECT_TRUE(SameBits(whole.Values(), joined.Values()));
  EXPECT_TRUE(SameBits(whole.Values(), SumInOrder<double>(RanksInOrder(), kCount)));
}

TEST_P(CommunicatorSuite, BroadcastCopiesFromEveryRoot) {
  for (int root = 0; root < size(); ++root) {
    for (const uint64_t count : kCounts) {
      auto buffer = Buffer(Contribution<float>(rank(), count));
      auto patient = Buffer(Contribution<float>(rank(), count));
      comm().Broadcast(buffer.view(), root);
      comm().PatientBroadcast(patient.view(), root);
      EXPECT_TRUE(SameBits(buffer.Values(), Contribution<float>(root, count)));
      EXPECT_TRUE(SameBits(patient.Values(), Contribution<float>(root, count)));
    }
  }
}

TEST_P(CommunicatorSuite, BarrierLetsNobodyThroughBeforeAllArrived) {
  namespace fs = std::filesystem;
  uint64_t name =
      static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  World().Broadcast({&name, 1, DType::kU64, nullptr}, 0);
  const fs::path folder = fs::temp_directory_path() / ("ponder_barrier_" + std::to_string(name));
  for (int round = 0; round < 20; ++round) {
    // Each rank in turn is the late one.
    if (round % size() == rank()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const fs::path mine = folder / std::to_string(round);
    fs::create_directories(mine / std::to_string(rank()));
    comm().Barrier();
    const auto arrived = std::distance(fs::directory_iterator(mine), fs::directory_iterator());
    EXPECT_GE(arrived, size()) << "round " << round;
  }
  World().Barrier();
  if (World().rank() == 0) fs::remove_all(folder);
}

TEST_P(CommunicatorSuite, ManyOperationsInARowStayMatched) {
  for (int i = 0; i < 300; ++i) {
    auto sum = Buffer(std::vector<int64_t>(static_cast<size_t>(1 + i % 5), i + rank()));
    comm().AllReduceSum(sum.view());
    const int64_t expected = int64_t{i} * size() + int64_t{size()} * (size() - 1) / 2;
    ASSERT_EQ(sum.Values()[0], expected) << "operation " << i;
    auto one = Buffer(std::vector<int64_t>{i * 10 + rank()});
    comm().Broadcast(one.view(), i % size());
    ASSERT_EQ(one.Values()[0], i * 10 + i % size());
  }
}

TEST_P(CommunicatorSuite, RefusesWrongArgumentsAlikeOnAllRanks) {
  auto values = Buffer(std::vector<float>(6));
  const auto refuses = [](const std::function<void()>& body, const std::string& text) {
    try {
      body();
      ADD_FAILURE() << "expected a refusal: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kInternal);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    }
  };
  refuses([&] { comm().Broadcast(values.view(), size()); }, "Broadcast: root");
  refuses(
      [&] {
        comm().AllReduceSum({values.data(), 6, DType::kBF16, nullptr});
      },
      "AllReduceSum of BF16: expected F32, F64 or I64");
  const std::vector<uint64_t> too_few(static_cast<size_t>(size() - 1), 1);
  refuses([&] { comm().AllGather(values.view(0, 1), values.view(), too_few); },
          "expected one count per rank");
  const std::vector<uint64_t> ones(static_cast<size_t>(size()), 1);
  refuses([&] { comm().ReduceScatterSum(values.view(), values.view(0, 1), ones); },
          "elements by the counts, got 6");
}

INSTANTIATE_TEST_SUITE_P(Backends, CommunicatorSuite, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& param_info) { return param_info.param; });

}  // namespace
}  // namespace ponder
