// A run in the background, as a person handles it: up --detach, status, logs, stop, and what is
// left when the supervisor is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kLimitS = 120;
// Makes the run long enough to be looked at.
constexpr const char* kSlow = "trainer.backward=delay:60,role=trainer";

std::string Ponder(const std::string& arguments) {
  return std::string(std::getenv("PONDER_BIN_DIR")) + "/ponder " + arguments;
}

class BackgroundTest : public testing::Test {
 protected:
  BackgroundTest()
      : run_(testing::UnitTest::GetInstance()->current_test_info()->name(), "tiny_smoke.yaml") {}
  ~BackgroundTest() override { RunCommand(Ponder("stop --now " + run_.folder()), {}, kLimitS); }

  ProcessRun Detach(const std::string& failpoints) {
    return RunCommand(Ponder("up --detach " + std::string(std::getenv("PONDER_SOURCE_DIR")) +
                             "/configs/tiny_smoke.yaml --set stages.reason.num_steps=1000" +
                             " --set run.name=run --set run.dir=" + run_.directory()),
                      {{"PONDER_FAILPOINTS", failpoints}}, kLimitS);
  }
  ProcessRun Status(const std::string& options) {
    return RunCommand(Ponder("status " + options + " " + run_.folder()), {}, kLimitS);
  }
  nlohmann::json Json() {
    const ProcessRun status = Status("--json");
    const auto root = nlohmann::json::parse(status.output, nullptr, false);
    EXPECT_TRUE(root.is_object()) << status.output;
    return root.is_object() ? root.at("runs").at(0) : nlohmann::json::object();
  }
  bool Eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kLimitS);
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  // Command lines that name the run's directory.
  std::string Leftovers() {
    std::string found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "cmdline");
      std::string command;
      std::getline(file, command);
      if (command.find(run_.directory()) != std::string::npos) found += command + "\n";
    }
    return found;
  }

  UpRun run_;
};

TEST_F(BackgroundTest, ARunGoesOnInTheBackgroundUntilItIsStopped) {
  const ProcessRun up = Detach(kSlow);
  ASSERT_EQ(up.exit_code, 0) << up.output;
  EXPECT_THAT(up.output, HasSubstr("run is up in the background"));
  ASSERT_TRUE(Eventually([&] { return Json().value("step", 0) > 3; })) << Status("").output;
  const ProcessRun status = Status("");
  EXPECT_EQ(status.exit_code, 0);
  EXPECT_THAT(status.output, HasSubstr("run  running "));
  for (const char* process : {"rank0", "rank1", "worker0", "reward0"}) {
    EXPECT_THAT(status.output, HasSubstr("\n" + std::string(process) + " "));
    const ProcessRun logs =
        RunCommand(Ponder("logs " + run_.folder() + " " + process), {}, kLimitS);
    EXPECT_EQ(logs.exit_code, 0) << logs.output;
  }
  EXPECT_EQ(Detach(kSlow).exit_code, 2) << "one run has one supervisor";

  const ProcessRun stop = RunCommand(Ponder("stop " + run_.folder()), {}, kLimitS);
  EXPECT_EQ(stop.exit_code, 0) << stop.output;
  EXPECT_THAT(stop.output, HasSubstr("run stopped in stage "));
  EXPECT_THAT(stop.output, HasSubstr("; saved at step "));
  EXPECT_EQ(Leftovers(), "");
  EXPECT_EQ(Json().value("state", ""), "stopped");
  EXPECT_EQ(Status("").exit_code, 75);
  const ProcessRun again = RunCommand(Ponder("stop " + run_.folder()), {}, kLimitS);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, HasSubstr("run does not run here: stopped"));
  const ProcessRun followed = RunCommand(Ponder("logs -f " + run_.folder() + " up"), {}, kLimitS);
  EXPECT_EQ(followed.exit_code, 0) << "a run that has ended writes no more";
  EXPECT_THAT(followed.output, HasSubstr("asked to stop: the processes stop"));
}

TEST_F(BackgroundTest, AStartThatFailsIsToldWithItsCauseAndCode) {
  const ProcessRun up = Detach("comm.broadcast=error,role=trainer,rank=1");
  EXPECT_EQ(up.exit_code, 74) << up.output;
  EXPECT_THAT(up.output,
              HasSubstr("rank1: failpoint comm.broadcast fired\n    trainer: exit code 74"));
  EXPECT_EQ(Json().value("state", ""), "failed");
  EXPECT_EQ(Status("").exit_code, 74);
  EXPECT_EQ(Leftovers(), "");
}

TEST_F(BackgroundTest, AKilledSupervisorIsSeenAndTheRunCanGoOn) {
  ASSERT_EQ(Detach(kSlow).exit_code, 0);
  std::ifstream file(run_.folder() + "/status.json");
  const pid_t supervisor = nlohmann::json::parse(file).at("supervisor").at("pid").get<pid_t>();
  ASSERT_EQ(kill(supervisor, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return Json().value("state", "") == "killed"; }))
      << Status("").output;
  EXPECT_EQ(Status("").exit_code, 75);
  EXPECT_TRUE(Eventually([&] { return Leftovers().empty(); })) << Leftovers();
  const ProcessRun up = Detach(kSlow);
  EXPECT_EQ(up.exit_code, 0) << up.output;
  EXPECT_EQ(Json().value("attempt", 0), 2);
  EXPECT_EQ(RunCommand(Ponder("stop " + run_.folder()), {}, kLimitS).exit_code, 0);
}

TEST_F(BackgroundTest, LogsAreFollowedOverARestartOfTheTrainer) {
  ASSERT_EQ(Detach(std::string(kSlow) +
                   ";trainer.backward=kill@40,role=trainer,rank=1,once=" + run_.Marker("kill"))
                .exit_code,
            0);
  std::thread stopper([&] {
    Eventually(
        [&] { return Json().value("attempt", 0) == 2 && Json().value("state", "") == "running"; });
    RunCommand(Ponder("stop " + run_.folder()), {}, kLimitS);
  });
  const ProcessRun logs = RunCommand(Ponder("logs -f " + run_.folder()), {}, kLimitS);
  stopper.join();
  EXPECT_EQ(logs.exit_code, 0);
  EXPECT_THAT(logs.output, HasSubstr("process rank 1"));
  EXPECT_THAT(logs.output, HasSubstr("==== attempt 2 ====\n"));
  EXPECT_THAT(logs.output, HasSubstr("stopped as asked"));
}

TEST_F(BackgroundTest, ARunThatDoesNotExistIsAnError) {
  for (const char* command : {"status", "stop", "logs"}) {
    const ProcessRun run = RunCommand(Ponder(command + std::string(" nowhere")), {}, kLimitS);
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.output, HasSubstr("no run 'nowhere'"));
  }
}

}  // namespace
}  // namespace ponder
