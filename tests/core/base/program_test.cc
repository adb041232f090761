#include "core/base/program.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "core/base/error.h"
#include "core/base/signals.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int code = 0;
  std::string text;  // on stderr
};

Outcome RunBody(const std::function<int(int, char**)>& body) {
  char name[] = "ponder_test";
  char* argv[] = {name, nullptr};
  ::testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = RunMain("trainer", 1, argv, body);
  outcome.text = ::testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(RunMain, ReturnsTheCodeOfItsBody) {
  const Outcome outcome = RunBody([](int argc, char** argv) {
    EXPECT_EQ(argc, 1);
    EXPECT_STREQ(argv[0], "ponder_test");
    return 3;
  });
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.text, "");
}

TEST(RunMain, PrintsAnErrorOnceAndReturnsTheCodeOfItsCondition) {
  const std::pair<Condition, int> kCases[] = {
      {Condition::kUsage, 2},     {Condition::kConfig, 2},        {Condition::kBadData, 65},
      {Condition::kIo, 74},       {Condition::kComm, 75},         {Condition::kPreempted, 75},
      {Condition::kDiverged, 76}, {Condition::kInterrupted, 130}, {Condition::kInternal, 70},
  };
  for (const auto& row : kCases) {
    const Condition condition = row.first;
    const int code = row.second;
    const Outcome outcome =
        RunBody([&](int, char**) -> int { throw Error(condition, "why it ended"); });
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.text, "trainer: error: why it ended\n");
  }
}

TEST(RunMain, TakesAnUnknownExceptionForABug) {
  const Outcome outcome = RunBody([](int, char**) -> int { throw std::out_of_range("map::at"); });
  EXPECT_EQ(outcome.code, 70);
  EXPECT_EQ(outcome.text, "trainer: internal error: map::at\n");
}

TEST(RunMain, SurvivesAPeerThatClosesItsPipe) {
  const Outcome outcome = RunBody([](int, char**) {
    int ends[2];
    if (pipe(ends) != 0) return 1;
    close(ends[0]);
    const ssize_t written = write(ends[1], "x", 1);  // SIGPIPE would end the process here
    close(ends[1]);
    return written < 0 ? 0 : 1;
  });
  EXPECT_EQ(outcome.code, 0);
}

TEST(RunMain, SwitchesGrpcForkSupportOff) {
  RunBody([](int, char**) { return 0; });
  EXPECT_STREQ(std::getenv("GRPC_ENABLE_FORK_SUPPORT"), "0");
}

// The exit code of a program that waits for the signal that it sends to itself.
[[noreturn]] void RunUntilSignalled() {
  char name[] = "ponder_test";
  char* argv[] = {name, nullptr};
  _exit(RunMain("trainer", 1, argv, [](int, char**) {
    const SignalWatcher watcher;
    kill(getpid(), SIGTERM);
    constexpr int kMaxPauses = 60'000;
    for (int i = 0; i < kMaxPauses && !watcher.stop_requested(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return watcher.signal() == SIGTERM ? 0 : 1;
  }));
}

// A thread of gRPC that does not block the signal would take it and end the process.
TEST(RunMainDeathTest, LeavesSignalsToTheWatcher) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(RunUntilSignalled(), ::testing::ExitedWithCode(0), "");
}

TEST(VersionText, NamesProgramAndLibraries) {
  EXPECT_THAT(VersionText("ponder_trainer"), StartsWith("ponder_trainer "));
  EXPECT_THAT(VersionText("ponder_trainer"), HasSubstr("gRPC "));
  EXPECT_THAT(VersionText("ponder_trainer"), HasSubstr("protobuf "));
}

TEST(UniqueProcessName, NamesHostAndProcessAndIsNeverTheSame) {
  const std::string name = UniqueProcessName();
  EXPECT_THAT(name, HasSubstr("-" + std::to_string(getpid()) + "-"));
  EXPECT_NE(UniqueProcessName(), name);
}

TEST(Milliseconds, CutsWhatIsSmaller) {
  EXPECT_EQ(Milliseconds(1.5), std::chrono::milliseconds(1500));
  EXPECT_EQ(Milliseconds(0.0009), std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace ponder
