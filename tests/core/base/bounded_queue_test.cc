#include "core/base/bounded_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace ponder {
namespace {

using std::chrono::milliseconds;

constexpr auto kNoWait = milliseconds(0);
constexpr auto kLongWait = std::chrono::seconds(60);  // never passes in a test that succeeds

TEST(BoundedQueue, KeepsTheOrder) {
  BoundedQueue<int> queue(/*capacity=*/3);
  for (const int value : {1, 2, 3}) ASSERT_TRUE(queue.Push(value, kNoWait));
  EXPECT_EQ(queue.size(), 3u);
  for (const int value : {1, 2, 3}) EXPECT_EQ(queue.Pop(kNoWait), value);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(BoundedQueue, RefusesWhenItIsFullForTooLong) {
  BoundedQueue<int> queue(/*capacity=*/1);
  ASSERT_TRUE(queue.Push(1, kNoWait));
  EXPECT_FALSE(queue.Push(2, milliseconds(1)));
  EXPECT_EQ(queue.Pop(kNoWait), 1);
  EXPECT_EQ(queue.Pop(milliseconds(1)), std::nullopt);
}

TEST(BoundedQueue, BlocksUntilSlotIsReleased) {
  BoundedQueue<int> queue(/*capacity=*/1);
  ASSERT_TRUE(queue.Push(1, kNoWait));
  std::atomic<bool> pushed{false};
  std::thread producer([&] { pushed = queue.Push(2, kLongWait); });
  EXPECT_FALSE(pushed);
  EXPECT_EQ(queue.Pop(kLongWait), 1);
  EXPECT_EQ(queue.Pop(kLongWait), 2);
  producer.join();
  EXPECT_TRUE(pushed);
}

TEST(BoundedQueue, BlocksUntilThereIsSomething) {
  BoundedQueue<int> queue(/*capacity=*/1);
  std::optional<int> popped;
  std::thread consumer([&] { popped = queue.Pop(kLongWait); });
  ASSERT_TRUE(queue.Push(7, kLongWait));
  consumer.join();
  EXPECT_EQ(popped, 7);
}

TEST(BoundedQueue, DrainsWhatIsLeftAfterClosing) {
  BoundedQueue<int> queue(/*capacity=*/2);
  ASSERT_TRUE(queue.Push(1, kNoWait));
  queue.Close();
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.Push(2, kLongWait));
  EXPECT_EQ(queue.Pop(kLongWait), 1);
  EXPECT_EQ(queue.Pop(kLongWait), std::nullopt);
}

TEST(BoundedQueue, WakesEverybodyWhenItCloses) {
  BoundedQueue<int> full(/*capacity=*/1);
  BoundedQueue<int> empty(/*capacity=*/1);
  ASSERT_TRUE(full.Push(1, kNoWait));
  std::atomic<int> num_woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { num_woken += !full.Push(2, kLongWait); });
    threads.emplace_back([&] { num_woken += !empty.Pop(kLongWait).has_value(); });
  }
  full.Close();
  empty.Close();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_woken, 4);
}

TEST(BoundedQueue, CarriesValuesThatOnlyMove) {
  BoundedQueue<std::unique_ptr<int>> queue(/*capacity=*/1);
  ASSERT_TRUE(queue.Push(std::make_unique<int>(5), kNoWait));
  EXPECT_EQ(**queue.Pop(kNoWait), 5);
}

TEST(BoundedQueue, DeliversEveryValueOnceBetweenManyThreads) {
  constexpr int kNumThreads = 4;
  constexpr int kPerThread = 500;
  BoundedQueue<int> queue(/*capacity=*/3);
  std::vector<std::thread> producers;
  for (int t = 0; t < kNumThreads; ++t) {
    producers.emplace_back([&queue, t] {
      for (int i = 0; i < kPerThread; ++i) queue.Push(t * kPerThread + i, kLongWait);
    });
  }
  std::vector<std::vector<int>> received(kNumThreads);
  std::vector<std::thread> consumers;
  for (int t = 0; t < kNumThreads; ++t) {
    consumers.emplace_back([&queue, &mine = received[t]] {
      while (const std::optional<int> value = queue.Pop(kLongWait)) mine.push_back(*value);
    });
  }
  for (std::thread& thread : producers) thread.join();
  queue.Close();
  for (std::thread& thread : consumers) thread.join();

  std::vector<int> all;
  for (const std::vector<int>& part : received) all.insert(all.end(), part.begin(), part.end());
  std::vector<int> expected(kNumThreads * kPerThread);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_THAT(all, ::testing::UnorderedElementsAreArray(expected));
}

}  // namespace
}  // namespace ponder
