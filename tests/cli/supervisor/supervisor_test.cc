// The supervisor over real process trees. Each test starts it as a process of its own, whose
// trainer and worker are played by this same program.
#include "cli/supervisor/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "cli/monitor/log_text.h"
#include "core/base/error.h"
#include "core/base/process_tree.h"
#include "tests/cli/supervisor/fake_processes.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

std::string Self() { return fs::read_symlink("/proc/self/exe").string(); }

class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "supervisor_" + std::to_string(getpid()) + "_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    EXPECT_EQ(Leftovers(), "");
    fs::remove_all(folder_);
  }

  void Start(int max_restarts, const std::string& worker_action,
             const std::vector<std::string>& trainer_actions) {
    ChildSpec spec;
    spec.name = "supervisor";
    spec.argv = {Self(), "--child=supervisor", folder_, std::to_string(max_restarts),
                 worker_action};
    spec.argv.insert(spec.argv.end(), trainer_actions.begin(), trainer_actions.end());
    const UniqueFd out = OpenLog(folder_ + "/out");
    const UniqueFd err = OpenLog(folder_ + "/err");
    supervisor_ = std::make_unique<ChildProcess>(spec, out.get(), err.get());
  }
  // False when `condition` does not come true within 20 s.
  bool Eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  int Finish() {
    if (!Eventually([&] { return supervisor_->Poll().has_value(); })) return -1;
    return supervisor_->Poll()->shell_code();
  }
  std::vector<pid_t> Starts(const std::string& role) {
    std::ifstream file(folder_ + "/starts");
    std::vector<pid_t> pids;
    std::string name;
    for (pid_t pid = 0; file >> name >> pid;) {
      if (name == role) pids.push_back(pid);
    }
    return pids;
  }
  bool Started(const std::string& role, size_t count) {
    return Eventually([&] { return Starts(role).size() >= count; });
  }
  RunStatus Status() { return ReadRunStatus(*MakeRealFileSystem(), folder_ + "/run"); }
  std::string Out() { return ReadTail(folder_ + "/out", 1 << 20); }
  std::string Err() { return ReadTail(folder_ + "/err", 1 << 20); }
  std::string LogOf(int attempt, const std::string& name) {
    return ReadTail(folder_ + "/run/attempts/" + std::to_string(attempt) + "/" + name + ".log",
                    1 << 20);
  }
  // Command lines of processes of this test that still live, other than the supervisor.
  std::string Leftovers() {
    std::string found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "cmdline");
      std::string command;
      std::getline(file, command);
      if (command.find(folder_) == std::string::npos) continue;
      std::replace(command.begin(), command.end(), '\0', ' ');
      found += command + "\n";
    }
    return found;
  }

  std::string folder_;
  std::unique_ptr<ChildProcess> supervisor_;
};

TEST_F(SupervisorTest, FinishedRunEndsWithCodeZeroAndStopsTheServices) {
  Start(5, "serve", {"exit:0"});
  EXPECT_EQ(Finish(), 0) << Err();
  EXPECT_EQ(Starts("trainer").size(), 1u);
  EXPECT_EQ(Starts("worker").size(), 1u);
}

TEST_F(SupervisorTest, TrainersOutputIsSeenLiveAndKeptInItsLog) {
  Start(5, "serve", {"exit:0"});
  EXPECT_EQ(Finish(), 0);
  EXPECT_EQ(Out(), "trainer start 1\n");
  EXPECT_THAT(Err(), HasSubstr("progress of start 1\n"));
  EXPECT_THAT(Err(), testing::Not(HasSubstr("worker speaks")));
  EXPECT_THAT(LogOf(1, "trainer"), HasSubstr("trainer start 1\n"));
  EXPECT_THAT(LogOf(1, "trainer"), HasSubstr("progress of start 1\n"));
  EXPECT_EQ(LogOf(1, "worker0"), "worker speaks\n");
}

TEST_F(SupervisorTest, KilledTrainerIsRestartedOnTheSamePortWithALogOfItsOwn) {
  Start(5, "serve", {"gain_kill:000004", "exit:0"});
  EXPECT_EQ(Finish(), 0) << Err();
  EXPECT_EQ(Starts("trainer").size(), 2u);
  EXPECT_EQ(Starts("worker").size(), 1u) << "the worker lives on";
  EXPECT_THAT(Err(), HasSubstr("killed by signal 9 (Killed): restart 1 of at most 5, from step 4"));
  EXPECT_THAT(LogOf(1, "trainer"), HasSubstr("trainer start 1"));
  EXPECT_THAT(LogOf(2, "trainer"), HasSubstr("trainer start 2"));
}

TEST_F(SupervisorTest, TemporaryFailureIsRestartedAndABugIsNot) {
  Start(5, "serve", {"exit:75", "exit:70"});
  EXPECT_EQ(Finish(), 70) << Err();
  EXPECT_EQ(Starts("trainer").size(), 2u);
  EXPECT_THAT(Err(), HasSubstr("exit code 70, which a restart would not cure"));
}

TEST_F(SupervisorTest, FailureShowsTheFirstErrorOnceAndWhatEndedOfIt) {
  Start(5, "serve", {"exit:65"});
  EXPECT_EQ(Finish(), 65) << Err();
  const std::string err = Err();
  EXPECT_THAT(err, HasSubstr(" E up  trainer: planned end of start 1\n"
                             "    trainer: exit code 65, which a restart would not cure (log: " +
                             folder_ + "/run/attempts/1/trainer.log)\n"));
  EXPECT_EQ(err.find("planned end"), err.rfind("planned end")) << err;
  const RunStatus status = Status();
  EXPECT_EQ(status.state, RunPhase::kFailed);
  EXPECT_EQ(status.exit_code, 65);
  EXPECT_THAT(status.message, HasSubstr("trainer: planned end of start 1\n"));
}

TEST_F(SupervisorTest, StatusFollowsTheRun) {
  Start(5, "killed_once", {"serve"});
  const auto worker = [&] {
    for (const ProcessStatus& process : Status().processes) {
      if (process.name == "worker0") return process;
    }
    return ProcessStatus{};
  };
  ASSERT_TRUE(Eventually([&] {
    return worker().restarts == 1 && Status().state == RunPhase::kRunning;
  })) << ToJson(Status());
  EXPECT_EQ(Status().supervisor, IdentityOf(supervisor_->pid()));
  EXPECT_EQ(worker().identity, IdentityOf(Starts("worker").back()));
  EXPECT_EQ(worker().state, ProcessState::kRunning);
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75) << Err();
  EXPECT_EQ(Status().state, RunPhase::kStopped);
  EXPECT_EQ(worker().identity, ProcessIdentity{}) << "a number that is free again names nobody";
}

TEST_F(SupervisorTest, EveryStartOfAWorkerHasItsOwnSectionOfTheLog) {
  Start(5, "killed_once", {"serve"});
  ASSERT_TRUE(Started("worker", 2)) << Err();
  ASSERT_TRUE(Eventually([&] { return LogOf(1, "worker0").ends_with("start 2\nworker speaks\n"); }))
      << LogOf(1, "worker0");
  EXPECT_TRUE(LogOf(1, "worker0").starts_with("worker speaks\n")) << LogOf(1, "worker0");
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75);
}

TEST_F(SupervisorTest, AWorkerThatLivesOnLogsToTheFolderOfTheNewAttempt) {
  Start(5, "serve", {"gain_kill:000004", "exit:0"});
  EXPECT_EQ(Finish(), 0) << Err();
  EXPECT_EQ(LogOf(1, "worker0"), "worker speaks\n");
  EXPECT_THAT(LogOf(2, "worker0"), HasSubstr("worker0: lives on from attempt 1\n"));
}

TEST_F(SupervisorTest, StopsWhenNoStepWasGainedTwice) {
  Start(5, "serve", {"gain_kill:000004", "kill", "kill", "exit:0"});
  EXPECT_EQ(Finish(), 137) << Err();
  EXPECT_EQ(Starts("trainer").size(), 3u);
  EXPECT_THAT(Err(), HasSubstr("twice in a row without a new checkpoint (step 4)"));
}

TEST_F(SupervisorTest, StopsAfterTheLastRestart) {
  Start(1, "serve", {"gain_exit:000001:75", "gain_exit:000002:75", "exit:0"});
  EXPECT_EQ(Finish(), 75) << Err();
  EXPECT_EQ(Starts("trainer").size(), 2u);
  EXPECT_THAT(Err(), HasSubstr("after 1 restarts (launch.max_restarts)"));
}

TEST_F(SupervisorTest, KilledWorkerIsRestartedAndTheTrainerKeepsRunning) {
  Start(5, "serve", {"serve"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(Starts("worker")[0], SIGKILL);
  EXPECT_TRUE(Started("worker", 2)) << Err();
  EXPECT_EQ(Starts("trainer").size(), 1u);
  EXPECT_TRUE(Eventually([&] {
    return Err().find("worker0: killed by signal 9 (Killed), starts again in 10 ms") !=
           std::string::npos;
  })) << Err();
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75) << Err();
}

TEST_F(SupervisorTest, WorkerThatLeavesIsStartedAgain) {
  Start(5, "exit:0", {"serve"});
  EXPECT_TRUE(Started("worker", 3)) << Err();
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75) << Err();
}

TEST_F(SupervisorTest, WorkerWhoseFailureIsPermanentEndsTheRunWithItsCodeAndLog) {
  Start(5, "exit:65", {"serve"});
  EXPECT_EQ(Finish(), 65) << Err();
  EXPECT_THAT(Err(), HasSubstr("worker0: exit code 65, which a restart would not cure; the last "
                               "lines of " +
                               folder_ + "/run/attempts/1/worker0.log:\n    worker speaks\n"));
}

TEST_F(SupervisorTest, InterruptionEndsAllWithCode130) {
  Start(5, "serve", {"serve"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGINT);
  EXPECT_EQ(Finish(), 130) << Err();
  EXPECT_EQ(Leftovers(), "");
}

TEST_F(SupervisorTest, ATerminalThatHangsUpStopsTheRunWithItsStateSaved) {
  Start(5, "serve", {"serve"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGHUP);
  EXPECT_EQ(Finish(), 75) << Err();
  EXPECT_EQ(Leftovers(), "");
}

TEST_F(SupervisorTest, DeafTrainerIsKilledAfterTheGrace) {
  Start(5, "serve", {"deaf"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGINT);
  EXPECT_EQ(Finish(), 130) << Err();
  EXPECT_THAT(Err(), HasSubstr("some processes did not stop in time and are killed"));
}

TEST_F(SupervisorTest, SecondInterruptionKillsAtOnce) {
  Start(5, "serve", {"deaf"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGINT);
  ASSERT_TRUE(Eventually([&] { return Err().find("interrupted") != std::string::npos; }));
  kill(supervisor_->pid(), SIGINT);
  EXPECT_EQ(Finish(), 130) << Err();
}

TEST_F(SupervisorTest, TrainerThatNeverListensIsReported) {
  Start(5, "serve", {"silent"});
  EXPECT_EQ(Finish(), 75) << Err();
  EXPECT_EQ(Starts("worker").size(), 0u) << "services start once the trainer listens";
  EXPECT_THAT(Err(), HasSubstr("does not listen on 127.0.0.1:"));
}

TEST_F(SupervisorTest, RequestToStopReachesTheRanksBehindTheLauncher) {
  Start(5, "serve", {"ranks"});
  ASSERT_TRUE(Started("rank", 2)) << Err();
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75) << Err();
  EXPECT_EQ(Starts("rank_stopped").size(), 2u) << "a rank was killed instead of asked";
}

TEST_F(SupervisorTest, WorkersServeTheTrainerUntilItHasSaved) {
  Start(5, "serve", {"save_slowly"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGTERM);
  EXPECT_EQ(Finish(), 75) << Err();
  const std::string notes = ReadTail(folder_ + "/starts", 1 << 20);
  ASSERT_THAT(notes, HasSubstr("worker_stopped")) << "the worker was killed instead of asked";
  EXPECT_LT(notes.find("trainer_saved"), notes.find("worker_stopped")) << notes;
}

TEST_F(SupervisorTest, RanksDoNotOutliveALauncherThatWasKilled) {
  Start(5, "serve", {"ranks", "exit:0"});
  ASSERT_TRUE(Started("rank", 2)) << Err();
  const std::vector<pid_t> ranks = Starts("rank");
  kill(Starts("trainer")[0], SIGKILL);
  EXPECT_EQ(Finish(), 0) << Err();  // the second trainer could listen: nobody held the port
  for (const pid_t rank : ranks) EXPECT_NE(kill(rank, 0), 0) << "rank " << rank << " lives";
}

TEST_F(SupervisorTest, ChildrenDieWithASupervisorThatWasKilled) {
  Start(5, "serve", {"serve"});
  ASSERT_TRUE(Started("worker", 1)) << Err();
  kill(supervisor_->pid(), SIGKILL);
  EXPECT_EQ(Finish(), 137);
  EXPECT_TRUE(Eventually([&] { return Leftovers().empty(); })) << Leftovers();
}

TEST(ChildProcess, RunsInAProcessGroupOfItsOwn) {
  const UniqueFd null = OpenLog("/dev/null");
  ChildSpec spec;
  spec.name = "sleeper";
  spec.argv = {"sleep", "30"};
  ChildProcess child(spec, null.get(), null.get());
  EXPECT_EQ(getpgid(child.pid()), child.pid());
  EXPECT_FALSE(child.Poll().has_value());
}

TEST(ChildProcess, ProgramThatCannotRunIsNamed) {
  const UniqueFd null = OpenLog("/dev/null");
  ChildSpec spec;
  spec.name = "worker0";
  spec.argv = {"/nonexistent/program"};
  try {
    ChildProcess child(spec, null.get(), null.get());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "start of worker0: cannot execute /nonexistent/program: No such file or directory");
  }
}

TEST(ChildProcess, DestructionEndsTheWholeTree) {
  const UniqueFd null = OpenLog("/dev/null");
  pid_t pid = 0;
  std::vector<pid_t> below;
  {
    ChildSpec spec;
    spec.name = "shell";
    spec.argv = {"bash", "-c", "sleep 30 & setsid sleep 30 & wait"};
    ChildProcess child(spec, null.get(), null.get());
    pid = child.pid();
    for (int i = 0; i < 500 && below.size() < 2; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      below = DescendantsOf(pid);
    }
    ASSERT_EQ(below.size(), 2u);
  }
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_TRUE(DescendantsOf(pid).empty());
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  if (const auto code = ponder::RunAsChild(argc, argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
