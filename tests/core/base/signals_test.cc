#include "core/base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace ponder {
namespace {

constexpr auto kPause = std::chrono::milliseconds(1);
constexpr int kMaxPauses = 60'000;

// Waits until the watcher has seen the signal; false when that takes a minute.
bool WaitsUntilStopped(const SignalWatcher& watcher) {
  for (int i = 0; i < kMaxPauses && !watcher.stop_requested(); ++i) {
    std::this_thread::sleep_for(kPause);
  }
  return watcher.stop_requested();
}

TEST(SignalWatcher, AsksForNothingByItself) {
  const SignalWatcher watcher;
  EXPECT_FALSE(watcher.stop_requested());
  EXPECT_EQ(watcher.signal(), 0);
}

TEST(SignalWatcher, TurnsEachWatchedSignalIntoAnAnswer) {
  for (const int sent : {SIGTERM, SIGINT, SIGUSR1}) {
    const SignalWatcher watcher;
    ASSERT_EQ(kill(getpid(), sent), 0);
    ASSERT_TRUE(WaitsUntilStopped(watcher)) << "signal " << sent;
    EXPECT_EQ(watcher.signal(), sent);
  }
}

TEST(SignalWatcher, CoversThreadsThatAreStartedLater) {
  const SignalWatcher watcher;
  std::thread later([] { pthread_kill(pthread_self(), SIGUSR1); });
  later.join();
  // Sent to a thread that ended: it may be lost with the thread, but it did not end the process.
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  EXPECT_TRUE(WaitsUntilStopped(watcher));
}

TEST(SignalWatcher, GivesTheSignalsBackAtItsEnd) {
  sigset_t none{};
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  const auto is_blocked = [](int signal) {
    sigset_t mask{};
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
  };
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    {
      const SignalWatcher watcher;
      EXPECT_TRUE(is_blocked(signal)) << signal;
    }
    EXPECT_FALSE(is_blocked(signal)) << signal;
  }
}

// Sends `first`, waits until it is seen, sends `second` and waits for the end.
[[noreturn]] void SendTwo(int first, int second) {
  const SignalWatcher watcher;
  kill(getpid(), first);
  if (!WaitsUntilStopped(watcher)) _exit(1);
  kill(getpid(), second);
  for (int i = 0; i < kMaxPauses; ++i) std::this_thread::sleep_for(kPause);
  _exit(2);
}

TEST(SignalWatcherDeathTest, EndsTheProcessAtOnceOnASecondSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr int kInterrupted = 130;
  constexpr int kPreempted = 75;
  EXPECT_EXIT(SendTwo(SIGTERM, SIGTERM), ::testing::ExitedWithCode(kPreempted), "");
  EXPECT_EXIT(SendTwo(SIGTERM, SIGINT), ::testing::ExitedWithCode(kInterrupted), "");
  EXPECT_EXIT(SendTwo(SIGINT, SIGUSR1), ::testing::ExitedWithCode(kPreempted), "");
}

}  // namespace
}  // namespace ponder
