#include "reward/external/judge_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

std::string FreshPath(const std::string& name) {
  const std::string path = ::testing::TempDir() + "ponder_store_" + name + ".sqlite";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return path;
}

TEST(JudgeStoreTest, SaysAgainWhatWasSaidFirst) {
  JudgeStore store("");
  EXPECT_FALSE(store.Find("a").has_value());
  EXPECT_EQ(store.Keep("a", 0.25), 0.25);
  EXPECT_EQ(store.Keep("a", 0.75), 0.25);
  EXPECT_EQ(store.Find("a"), 0.25);
  EXPECT_FALSE(store.Find("b").has_value());
}

TEST(JudgeStoreTest, AFileKeepsScoresAndSpendingOverRestarts) {
  const std::string path = FreshPath("restart");
  {
    JudgeStore store(path);
    store.Keep("a", 3.5);
    EXPECT_TRUE(store.SpendRequest("run/judge", {.requests = 2}));
  }
  JudgeStore store(path);
  EXPECT_EQ(store.Find("a"), 3.5);
  EXPECT_TRUE(store.SpendRequest("run/judge", {.requests = 2}));
  EXPECT_FALSE(store.SpendRequest("run/judge", {.requests = 2}));
  EXPECT_TRUE(store.SpendRequest("other_run/judge", {.requests = 2})) << "each run has its own";
}

TEST(JudgeStoreTest, NoRequestIsMadeOnceTheTokensAreSpent) {
  JudgeStore store("");
  const JudgeBudget budget{.tokens = 100};
  EXPECT_TRUE(store.SpendRequest("a", budget));
  store.SpendTokens("a", 99);
  EXPECT_TRUE(store.SpendRequest("a", budget));
  store.SpendTokens("a", 1);
  EXPECT_FALSE(store.SpendRequest("a", budget));
  EXPECT_TRUE(store.SpendRequest("a", {})) << "0 is no bound";
}

TEST(JudgeStoreTest, UsersOfOneFileTogetherKeepTheBudget) {
  const std::string path = FreshPath("shared");
  constexpr int kBudget = 20;
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      JudgeStore store(path);
      for (int request = 0; request < 10; ++request) {
        granted += store.SpendRequest("a", {.requests = kBudget}) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, kBudget);
}

TEST(JudgeStoreTest, AFileThatIsNoDatabaseIsRefused) {
  const std::string path = FreshPath("text");
  std::ofstream(path) << "this is a text, and long enough to have the form of a header of a file\n";
  try {
    const JudgeStore store(path);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
  EXPECT_THROW(JudgeStore("/nonexistent/folder/cache.sqlite"), Error);
}

}  // namespace
}  // namespace ponder
