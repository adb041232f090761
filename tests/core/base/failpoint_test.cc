#include "core/base/failpoint.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

class FailpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
#ifndef PONDER_FAILPOINTS
    GTEST_SKIP() << "this build has no failpoints";
#endif
  }
  void TearDown() override {
    unsetenv("PONDER_FAILPOINTS");
    ConfigureFailpoints("test", 0);
  }

  static void Configure(const std::string& list, std::string_view role = "trainer", int rank = 0) {
    setenv("PONDER_FAILPOINTS", list.c_str(), /*overwrite=*/1);
    ConfigureFailpoints(role, rank);
  }

  // True when the next hit throws the error action.
  static bool Throws(std::string_view name) {
    try {
      PONDER_FAILPOINT(name);
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kIo);
      EXPECT_THAT(error.what(), HasSubstr(std::string(name)));
      return true;
    }
  }
};

TEST_F(FailpointTest, DoesNothingWhenItIsNotNamed) {
  Configure("trainer.save=error");
  EXPECT_FALSE(PONDER_FAILPOINT("trainer.publish"));
  EXPECT_FALSE(Throws("trainer.publish"));
}

TEST_F(FailpointTest, FiresAtEveryHitWithoutANumber) {
  Configure("trainer.save=error");
  for (int hit = 1; hit <= 3; ++hit) EXPECT_TRUE(Throws("trainer.save")) << "hit " << hit;
}

TEST_F(FailpointTest, FiresAtTheNumberedHitOnly) {
  Configure("trainer.save=error@2");
  EXPECT_FALSE(Throws("trainer.save"));
  EXPECT_TRUE(Throws("trainer.save"));
  EXPECT_FALSE(Throws("trainer.save"));
}

TEST_F(FailpointTest, CountsHitsAnewWhenConfiguredAgain) {
  Configure("trainer.save=error@2");
  EXPECT_FALSE(Throws("trainer.save"));
  Configure("trainer.save=error@2");
  EXPECT_FALSE(Throws("trainer.save"));
  EXPECT_TRUE(Throws("trainer.save"));
}

TEST_F(FailpointTest, TellsTheCallerToPoisonItsNumbers) {
  Configure("trainer.backward=nan@1");
  EXPECT_TRUE(PONDER_FAILPOINT("trainer.backward"));
  EXPECT_FALSE(PONDER_FAILPOINT("trainer.backward"));
}

TEST_F(FailpointTest, DelaysTheCaller) {
  Configure("trainer.save=delay:2");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(PONDER_FAILPOINT("trainer.save"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2));
}

TEST_F(FailpointTest, KillsTheProcess) {
  Configure("trainer.save=kill@2");
  PONDER_FAILPOINT("trainer.save");
  EXPECT_EXIT(PONDER_FAILPOINT("trainer.save"), ::testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointTest, ConcernsTheNamedRoleAndRankOnly) {
  const std::string list = "save=error,role=trainer,rank=1";
  Configure(list, "trainer", 1);
  EXPECT_TRUE(Throws("save"));
  Configure(list, "trainer", 0);
  EXPECT_FALSE(Throws("save"));
  Configure(list, "worker", 1);
  EXPECT_FALSE(Throws("save"));
}

TEST_F(FailpointTest, HoldsSeveralEntriesAlsoOfOneName) {
  Configure("save=error@1;load=error@1;save=error@3;");
  EXPECT_TRUE(Throws("load"));
  EXPECT_TRUE(Throws("save"));
  EXPECT_FALSE(Throws("save"));
  EXPECT_TRUE(Throws("save"));
}

TEST_F(FailpointTest, FiresOnceOverAllRestartsWithAMarker) {
  char folder[] = "/tmp/ponder_failpoint_XXXXXX";
  const std::string marker = std::string(mkdtemp(folder)) + "/fired";
  const std::string list = "save=error@1,once=" + marker;
  Configure(list);
  EXPECT_TRUE(Throws("save"));
  EXPECT_TRUE(std::filesystem::exists(marker));
  Configure(list);  // as a restarted process would
  EXPECT_FALSE(Throws("save"));
  std::filesystem::remove_all(folder);
}

TEST_F(FailpointTest, RefusesListsThatDoNotParse) {
  for (const char* list :
       {"save", "=kill", "save=", "save=explode", "save=kill@", "save=kill@0", "save=kill@-1",
        "save=kill@2x", "save=delay:", "save=delay:soon", "save=kill,rank=one",
        "save=kill,when=now", "save=kill,role", "ok=kill;bad"}) {
    try {
      Configure(list);
      ADD_FAILURE() << "'" << list << "' was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kUsage) << list;
      EXPECT_THAT(error.what(), HasSubstr("PONDER_FAILPOINTS")) << list;
    }
  }
}

TEST_F(FailpointTest, FiresOnceUnderManyThreads) {
  constexpr int kNumThreads = 4;
  constexpr int kHitsPerThread = 250;
  Configure("save=nan@500");
  std::atomic<int> num_fired{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kNumThreads; ++t) {
    threads.emplace_back([&num_fired] {
      for (int hit = 0; hit < kHitsPerThread; ++hit) num_fired += PONDER_FAILPOINT("save");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_fired, 1);
}

}  // namespace
}  // namespace ponder
