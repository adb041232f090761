#include "cli/supervisor/restart_policy.h"

#include <gtest/gtest.h>

namespace ponder {
namespace {

using Action = TrainerVerdict::Action;
using std::chrono::milliseconds;

constexpr ExitStatus kKilled{0, SIGKILL};
constexpr ExitStatus kTemporary{75, 0};

TEST(TrainerRestartPolicy, CodeZeroIsTheEndOfTheRun) {
  TrainerRestartPolicy policy(5, -1);
  EXPECT_EQ(policy.OnExit({0, 0}, 10).action, Action::kFinished);
}

TEST(TrainerRestartPolicy, TemporaryFailuresAndSignalsAreRestarted) {
  TrainerRestartPolicy policy(5, -1);
  EXPECT_EQ(policy.OnExit(kTemporary, 1).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 2).action, Action::kRestart);
  // As mpirun reports a rank that was killed.
  EXPECT_EQ(policy.OnExit({128 + SIGKILL, 0}, 3).action, Action::kRestart);
  EXPECT_EQ(policy.num_restarts(), 3);
}

TEST(TrainerRestartPolicy, PermanentFailuresAreNot) {
  for (const int code : {1, 2, 65, 70, 74, 76, 130 - 128}) {
    TrainerRestartPolicy policy(5, -1);
    const TrainerVerdict verdict = policy.OnExit({code, 0}, 100);
    EXPECT_EQ(verdict.action, Action::kGiveUp) << code;
    EXPECT_EQ(verdict.reason,
              "exit code " + std::to_string(code) + ", which a restart would not cure");
  }
}

TEST(TrainerRestartPolicy, StopsAfterTheLastPermittedRestart) {
  TrainerRestartPolicy policy(/*max_restarts=*/2, -1);
  EXPECT_EQ(policy.OnExit(kKilled, 1).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 2).action, Action::kRestart);
  const TrainerVerdict verdict = policy.OnExit(kKilled, 3);
  EXPECT_EQ(verdict.action, Action::kGiveUp);
  EXPECT_EQ(verdict.reason, "killed by signal 9 (Killed), after 2 restarts (launch.max_restarts)");
}

TEST(TrainerRestartPolicy, StopsWhenTwoEndsInARowBroughtNoStep) {
  TrainerRestartPolicy policy(10, /*first_step=*/4);
  EXPECT_EQ(policy.OnExit(kKilled, 4).action, Action::kRestart);  // none gained: once
  const TrainerVerdict verdict = policy.OnExit(kKilled, 4);       // twice
  EXPECT_EQ(verdict.action, Action::kGiveUp);
  EXPECT_EQ(verdict.reason,
            "killed by signal 9 (Killed), twice in a row without a new checkpoint (step 4)");
}

TEST(TrainerRestartPolicy, AGainedStepForgivesTheEndBefore) {
  TrainerRestartPolicy policy(10, -1);
  EXPECT_EQ(policy.OnExit(kKilled, -1).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 4).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 4).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 8).action, Action::kRestart);
}

TEST(TrainerRestartPolicy, AStepLostToACorruptCheckpointIsNoGainWhenReachedAgain) {
  TrainerRestartPolicy policy(10, 8);
  EXPECT_EQ(policy.OnExit(kKilled, 4).action, Action::kRestart);
  EXPECT_EQ(policy.OnExit(kKilled, 8).action, Action::kGiveUp);
}

TEST(IsPermanentFailure, OnlyEndsThatWouldRepeat) {
  for (const int code : {2, 65, 70, 76}) EXPECT_TRUE(IsPermanentFailure({code, 0})) << code;
  for (const int code : {0, 1, 74, 75, 130}) EXPECT_FALSE(IsPermanentFailure({code, 0})) << code;
  EXPECT_FALSE(IsPermanentFailure(kKilled));
}

TEST(RestartBackoff, DoublesUpToTheLongest) {
  RestartBackoff backoff({.first = milliseconds(200), .longest = milliseconds(1000)});
  std::vector<int64_t> delays;
  for (int i = 0; i < 5; ++i) delays.push_back(backoff.OnExit(kKilled, milliseconds(1)).count());
  EXPECT_EQ(delays, (std::vector<int64_t>{200, 400, 800, 1000, 1000}));
}

TEST(RestartBackoff, StartsOverAfterALongLife) {
  RestartBackoff backoff({.steady = milliseconds(10'000)});
  EXPECT_EQ(backoff.OnExit(kKilled, milliseconds(1)), milliseconds(200));
  EXPECT_EQ(backoff.OnExit(kKilled, milliseconds(9'999)), milliseconds(400));
  EXPECT_EQ(backoff.OnExit(kKilled, milliseconds(10'000)), milliseconds(200));
}

TEST(RestartBackoff, AProcessThatLeftByItselfWaitsTheLongest) {
  RestartBackoff backoff({});
  EXPECT_EQ(backoff.OnExit({0, 0}, milliseconds(1)), milliseconds(5000));
  EXPECT_EQ(backoff.OnExit(kKilled, milliseconds(1)), milliseconds(200));
}

TEST(ExitStatus, SaysCodeOrSignal) {
  EXPECT_EQ((ExitStatus{75, 0}.Describe()), "exit code 75");
  EXPECT_EQ((ExitStatus{0, SIGTERM}.Describe()), "killed by signal 15 (Terminated)");
  EXPECT_EQ((ExitStatus{128 + SIGKILL, 0}.Describe()), "killed by signal 9 (Killed)");
  EXPECT_EQ((ExitStatus{0, SIGKILL}.shell_code()), 137);
  EXPECT_EQ((ExitStatus{3, 0}.shell_code()), 3);
}

}  // namespace
}  // namespace ponder
