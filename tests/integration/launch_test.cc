// Runs that are started by other means than `ponder up`: on two hosts, as a job of a cluster, and
// by mpirun. Wherever its processes are, a run has the bytes that it has on one machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kLimitS = 300;
constexpr int kSkipped = 77;
// Makes the last stage long enough for what happens in it.
constexpr const char* kSlowWorker = "rollout.prefill=delay:100,role=worker";

using Digests = std::map<std::string, std::string>;

const Digests& DigestsOfOneHost() {
  static const Digests kDigests = [] {
    const UpRun run("one_host", "tiny_smoke.yaml");
    const ProcessRun result = run.Start({}, "", kLimitS);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return run.Digests();
  }();
  return kDigests;
}

// Runs a script of this folder with a fresh directory as its first argument.
class ScriptTest : public ::testing::Test {
 protected:
  ScriptTest() : runs_(::testing::TempDir() + "ponder_launch") {
    fs::remove_all(runs_);
    fs::create_directories(runs_);
  }
  ~ScriptTest() override {
    if (!HasFailure()) fs::remove_all(runs_);
  }

  ProcessRun Run(const std::string& script, const std::string& arguments,
                 const std::string& failpoints) const {
    const std::string path =
        std::string(std::getenv("PONDER_SOURCE_DIR")) + "/tests/integration/" + script;
    return RunCommand(path + " " + runs_ + " " + arguments, {{"PONDER_FAILPOINTS", failpoints}},
                      kLimitS);
  }
  std::string RunFolder() const { return runs_ + "/run"; }

 private:
  const std::string runs_;
};

class TwoHostsTest : public ScriptTest {};
class ClusterJobTest : public ScriptTest {};
class StoppedJobTest : public ScriptTest {};

TEST_F(TwoHostsTest, HaveTheBytesOfOneHost) {
  const ProcessRun result = Run("two_hosts.sh", "", "");
  if (result.exit_code == kSkipped) GTEST_SKIP() << result.output;
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(DigestsOf(RunFolder()), DigestsOfOneHost());
}

TEST_F(TwoHostsTest, OutliveACutOfTheirLinkThatLosesEveryLease) {
  // Leases last three seconds there, so the trainer takes worker and reward service for lost.
  const ProcessRun result = Run("two_hosts.sh", "5", kSlowWorker);
  if (result.exit_code == kSkipped) GTEST_SKIP() << result.output;
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("two_hosts: link down"));
  EXPECT_THAT(result.output, HasSubstr("registering again"));
  EXPECT_EQ(DigestsOf(RunFolder()), DigestsOfOneHost());
}

TEST_F(ClusterJobTest, IsQueuedAgainAfterPreemptionAndGoesOnExactly) {
  const ProcessRun result = Run("preempted_job.sh", "", kSlowWorker);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the job ended with 75"));
  EXPECT_THAT(result.output, HasSubstr("stopped as asked"));
  EXPECT_THAT(result.output, HasSubstr("going on from"));
  EXPECT_EQ(DigestsOf(RunFolder()), DigestsOfOneHost());
}

TEST_F(ClusterJobTest, IsNotQueuedAgainAfterThreeStartsWithoutANewCheckpoint) {
  const ProcessRun result = Run("failing_job.sh", "stuck", "");
  // A service that does not listen to SIGTERM does not keep the job, either.
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("deaf"));
  EXPECT_THAT(result.output, HasSubstr("start 2 ended with 75; times queued again: 2"));
  EXPECT_THAT(result.output, HasSubstr("start 3 ended with 75; times queued again: 2"));
  EXPECT_THAT(result.output, HasSubstr("three starts in a row made no new checkpoint"));
}

TEST_F(ClusterJobTest, IsQueuedAgainForAsLongAsItMakesCheckpoints) {
  const ProcessRun result = Run("failing_job.sh", "saving", "");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("start 3 ended with 75; times queued again: 3"));
}

TEST_F(StoppedJobTest, SavesWhenItsLauncherGetsSigtermAndGoesOnExactly) {
  const ProcessRun result = Run("stopped_job.sh", "launcher", kSlowWorker);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stopped as asked; the state is saved"));
  EXPECT_THAT(result.output, HasSubstr("the job ended with 75"));
  EXPECT_EQ(DigestsOf(RunFolder()), DigestsOfOneHost());
}

TEST_F(StoppedJobTest, SavesBeforeAPodWithItsRanksEndsAndGoesOnExactly) {
  const ProcessRun result = Run("stopped_job.sh", "pod", kSlowWorker);
  if (result.exit_code == kSkipped) GTEST_SKIP() << result.output;
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stopped as asked; the state is saved"));
  EXPECT_THAT(result.output, HasSubstr("the job ended with 75"));
  EXPECT_THAT(result.output, HasSubstr("the pod ended with 0"));
  EXPECT_EQ(DigestsOf(RunFolder()), DigestsOfOneHost());
}

TEST(ListenTest, AnAddressBeyondThisMachineNeedsItsFlag) {
  const std::string bin = std::getenv("PONDER_BIN_DIR");
  const std::string source = std::getenv("PONDER_SOURCE_DIR");
  const std::string runs = ::testing::TempDir() + "ponder_listen";
  for (const std::string& command :
       {bin + "/ponder_trainer --config " + source +
            "/configs/tiny_smoke.yaml --set run.dir=" + runs + " --listen 0.0.0.0:0",
        bin + "/ponder_reward --trainer 127.0.0.1:1 --listen 192.0.2.1:0"}) {
    const ProcessRun result = RunCommand(command, {}, kLimitS);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr("--listen: expected a loopback address"));
    EXPECT_THAT(result.output, HasSubstr("--insecure-allow-remote"));
  }
  EXPECT_FALSE(fs::exists(runs)) << "nothing may be begun";
  const ProcessRun worker =
      RunCommand(bin + "/ponder_rollout --trainer 192.0.2.1:5005", {}, kLimitS);
  EXPECT_EQ(worker.exit_code, 2) << worker.output;
  EXPECT_THAT(worker.output, HasSubstr("--insecure-allow-remote"));
}

}  // namespace
}  // namespace ponder
