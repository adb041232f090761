#include "core/base/log.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace ponder {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;

// What `body` writes to stderr.
template <typename Body>
std::string Written(const Body& body) {
  ::testing::internal::CaptureStderr();
  body();
  return ::testing::internal::GetCapturedStderr();
}

constexpr const char* kTime = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\.[0-9][0-9][0-9]";

TEST(Log, WritesTimeLevelRoleRankAndText) {
  const std::string line = Written([] { Log("trainer", 1).Info("step 7 {}%"); });
  EXPECT_THAT(line, MatchesRegex(std::string(kTime) + " I trainer/1  step 7 \\{\\}%\n"));
}

TEST(Log, LeavesOutTheRankOfARoleWithoutRanks) {
  const std::string line = Written([] { Log("worker", -1).Error("gone"); });
  EXPECT_THAT(line, MatchesRegex(std::string(kTime) + " E worker  gone\n"));
}

TEST(Log, WritesLinesOfItsLevelAndAbove) {
  const Log log("trainer", 0, LogLevel::kWarning);
  EXPECT_THAT(Written([&] {
                log.Debug("no");
                log.Info("no");
              }),
              IsEmpty());
  EXPECT_THAT(Written([&] { log.Warning("yes"); }), MatchesRegex(".* W trainer/0  yes\n"));
  EXPECT_THAT(Written([&] { log.Error("yes"); }), MatchesRegex(".* E trainer/0  yes\n"));
}

TEST(Log, KeepsLinesWholeUnderManyThreads) {
  constexpr int kNumThreads = 4;
  constexpr int kLinesPerThread = 100;
  const Log log("worker", -1);
  const std::string written = Written([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < kNumThreads; ++t) {
      threads.emplace_back([&log] {
        for (int i = 0; i < kLinesPerThread; ++i) log.Info("the same text in every line");
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  int num_lines = 0;
  size_t begin = 0;
  for (size_t end = written.find('\n'); end != std::string::npos; end = written.find('\n', begin)) {
    ASSERT_TRUE(
        written.substr(begin, end - begin).ends_with("I worker  the same text in every line"));
    begin = end + 1;
    ++num_lines;
  }
  EXPECT_EQ(num_lines, kNumThreads * kLinesPerThread);
}

}  // namespace
}  // namespace ponder
