// What a person runs into: ports, broken files, wrong experiments, divergence, stops. Each must end
// with a clear message and the right exit code, and lose nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/unique_fd.h"
#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 120;

std::string Program(const std::string& name) {
  return std::string(std::getenv("PONDER_BIN_DIR")) + "/" + name;
}

std::string ConfigPath() {
  return std::string(std::getenv("PONDER_SOURCE_DIR")) + "/configs/" + kConfig;
}

// Checkpoint folders of a run, newest first.
std::vector<fs::path> Checkpoints(const UpRun& run) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(run.folder() + "/checkpoints")) {
    if (entry.path().filename().string().starts_with("step_")) found.push_back(entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

void FlipByte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file.good()) << path;
  constexpr std::streamoff kOffset = 5000;
  file.seekg(kOffset);
  const int byte = file.get();
  file.seekp(kOffset);
  file.put(static_cast<char>(byte ^ 1));
}

// Stops the run once it has saved, by a kill that is not repeated, with no restart allowed.
ProcessRun RunHalf(const UpRun& run) {
  return run.Start({"launch.max_restarts=0"}, "trainer.backward=kill@90,role=trainer,rank=0",
                   kLimitS);
}

TEST(FaultTest, AFinishedRunShowsItsResultAgain) {
  const UpRun run("finished", kConfig);
  const ProcessRun first = run.Start({}, "", kLimitS);
  ASSERT_EQ(first.exit_code, 0) << first.output;
  const auto digests = run.Digests();
  const ProcessRun second = run.Start({}, "", kLimitS);
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_THAT(second.output, HasSubstr("Three chains of thought"));
  EXPECT_EQ(run.Digests(), digests);
}

TEST(FaultTest, TwoWorkersMakeTheSameBytesAsOne) {
  const UpRun one("one_worker", kConfig);
  const UpRun two("two_workers", kConfig);
  ASSERT_EQ(one.Start({}, "", kLimitS).exit_code, 0);
  const ProcessRun result = two.Start({"launch.workers=2"}, "", kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(two.Digests(), one.Digests());
}

TEST(FaultTest, AsynchronousRunsResumeExactlyToo) {
  const std::vector<std::string> overrides = {"stages.reason.max_staleness=1"};
  const UpRun undisturbed("stale_undisturbed", kConfig);
  ASSERT_EQ(undisturbed.Start(overrides, "", kLimitS).exit_code, 0);
  const UpRun killed("stale_killed", kConfig);
  const ProcessRun result = killed.Start(
      overrides, "trainer.backward=kill@91,role=trainer,rank=0,once=" + killed.Marker("kill"),
      kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("resuming at"));
  EXPECT_EQ(killed.Digests(), undisturbed.Digests());
  EXPECT_NE(killed.Digests(), [] {
    const UpRun synchronous("synchronous", kConfig);
    synchronous.Start({}, "", kLimitS);
    return synchronous.Digests();
  }()) << "asynchronous and synchronous runs train on different samples";
}

class StalenessTest : public ::testing::TestWithParam<int> {};

// A slow worker holds leases of all max_staleness + 1 versions that can be leased at once, and
// needs them again and again; two quick ones share them.
TEST_P(StalenessTest, ASlowWorkerAndTwoQuickOnesFinishWithTheSameBytes) {
  const std::string eta = std::to_string(GetParam());
  const UpRun slow("eta" + eta + "_slow", kConfig);
  const UpRun two("eta" + eta + "_two", kConfig);
  const std::string staleness = "stages.reason.max_staleness=" + eta;
  const ProcessRun slow_result =
      slow.Start({staleness}, "rollout.decode=delay:4,role=worker", kLimitS);
  ASSERT_EQ(slow_result.exit_code, 0) << slow_result.output;
  const ProcessRun two_result = two.Start({staleness, "launch.workers=2"}, "", kLimitS);
  ASSERT_EQ(two_result.exit_code, 0) << two_result.output;
  EXPECT_EQ(slow.Digests(), two.Digests());
}

INSTANTIATE_TEST_SUITE_P(BeyondOne, StalenessTest, ::testing::Values(2, 3));

// Runs `script` by bash, which can call `trainer`, `worker` and `reward`: the programs as a person
// starts them, with the trainer on `port`, and any further options.
ProcessRun RunByHand(const UpRun& run, const std::string& port, const std::string& script) {
  const std::string address = "127.0.0.1:" + port;
  const std::string path = run.directory() + "/by_hand.sh";
  std::ofstream(path) << "trainer() { exec " << Program("ponder_trainer") << " --config "
                      << ConfigPath() << " --set run.dir=" << run.directory()
                      << " --set run.name=run --listen " << address << " \"$@\"; }\n"
                      << "worker() { exec " << Program("ponder_rollout") << " --trainer " << address
                      << " \"$@\"; }\n"
                      << "reward() { exec " << Program("ponder_reward") << " --trainer " << address
                      << " \"$@\"; }\n"
                      << script;
  return RunCommand("bash " + path, {{"PONDER_PROGRESS", "lines"}}, kLimitS);
}

TEST(FaultTest, ProgramsStartedByHandWithoutNamesWorkTogetherAndEndWithTheRun) {
  const UpRun run("by_hand", kConfig);
  const ProcessRun result = RunByHand(run, "39418",
                                      "worker & a=$!; worker & b=$!; reward & c=$!; reward & d=$!\n"
                                      // Long enough for all four to have joined before the end.
                                      "trainer --set stages.pretrain.num_steps=800 & wait $!\n"
                                      "echo trainer ended with $?\n"
                                      "for child in $a $b $c $d; do\n"
                                      "  wait $child; echo child ended with $?\n"
                                      "done\n");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("trainer ended with 0"));
  size_t num_ended = 0;
  for (size_t at = 0; (at = result.output.find("child ended with 0", at)) != std::string::npos;
       ++at) {
    ++num_ended;
  }
  EXPECT_EQ(num_ended, 4u) << result.output;
  for (const char* trouble : {"came back", "is lost", "its session is over"}) {
    EXPECT_THAT(result.output, Not(HasSubstr(trouble)));
  }
}

TEST(FaultTest, ProgramsWhoseTrainerStaysAwaySayThatTheyGiveUp) {
  const UpRun run("abandoned", kConfig);
  const ProcessRun result =
      RunByHand(run, "39420",
                "cd \"$(dirname \"$0\")\"\n"
                "trainer --set trainer.lease_s=1 >trainer.log 2>&1 & t=$!\n"
                "worker --reconnect-timeout 1 >worker.log 2>&1 & w=$!\n"
                "reward --reconnect-timeout 1 >reward.log 2>&1 & r=$!\n"
                "until grep -q registered worker.log && grep -q 'scores on' reward.log; do\n"
                "  sleep 0.05\n"
                "done\n"
                "kill -9 $t; wait $w; echo worker ended with $?\n"
                "wait $r; echo reward ended with $?; tail -n 1 worker.log reward.log\n");
  EXPECT_THAT(result.output, HasSubstr("worker ended with 75"));
  EXPECT_THAT(result.output, HasSubstr("reward ended with 75"));
  EXPECT_THAT(result.output, HasSubstr("worker: error: Experience.Register of "));
  EXPECT_THAT(result.output, HasSubstr("reward: error: Experience.Register of "));
  EXPECT_THAT(result.output, HasSubstr("expected the trainer to answer within 1 s"));
}

TEST(FaultTest, AFlippedByteFallsBackToTheCheckpointBeforeLoudly) {
  const UpRun undisturbed("flip_undisturbed", kConfig);
  ASSERT_EQ(undisturbed.Start({}, "", kLimitS).exit_code, 0);
  const UpRun run("flip", kConfig);
  EXPECT_NE(RunHalf(run).exit_code, 0);
  const std::vector<fs::path> checkpoints = Checkpoints(run);
  ASSERT_GE(checkpoints.size(), 2u);
  FlipByte(checkpoints[0] / "policy" / "model.safetensors");
  const ProcessRun result = run.Start({}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("passed over"));
  EXPECT_THAT(result.output, HasSubstr(checkpoints[0].filename().string()));
  EXPECT_THAT(result.output, HasSubstr("going on from"));
  EXPECT_EQ(run.Digests(), undisturbed.Digests());
}

TEST(FaultTest, RefusesToStartAgainWhenEveryCheckpointIsBad) {
  const UpRun run("all_bad", kConfig);
  EXPECT_NE(RunHalf(run).exit_code, 0);
  for (const fs::path& checkpoint : Checkpoints(run)) {
    FlipByte(checkpoint / "policy" / "model.safetensors");
  }
  const ProcessRun result = run.Start({}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 65) << result.output;
}

TEST(FaultTest, SavesThatFailThreeTimesEndTheRunWithWhatWasSavedIntact) {
  const UpRun run("disk_full", kConfig);
  EXPECT_NE(RunHalf(run).exit_code, 0);
  const std::vector<fs::path> before = Checkpoints(run);
  ASSERT_FALSE(before.empty());
  const ProcessRun result = run.Start({"stages.reason.num_steps=40"},
                                      "checkpoint.file=error,role=trainer,rank=0", kLimitS);
  EXPECT_EQ(result.exit_code, 74) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the ones before it are intact"));
  EXPECT_EQ(Checkpoints(run), before);
  for (const auto& entry : fs::directory_iterator(run.folder() + "/checkpoints")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".tmp")) << entry.path();
  }
}

// A stop in the middle of a phase, by a signal of the trainer to itself, with no restart allowed.
ProcessRun StopAt(const UpRun& run, const std::string& failpoint,
                  std::vector<std::string> overrides) {
  overrides.push_back("launch.max_restarts=0");
  return run.Start(overrides, failpoint + ",role=trainer,rank=0", kLimitS);
}

TEST(FaultTest, AStopIsHeardWhileGroupsKeepComing) {
  const UpRun run("stop_busy", kConfig);
  const ProcessRun result = StopAt(run, "trainer.backward=term@84", {});
  EXPECT_EQ(result.exit_code, 75) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stopped as asked; the state is saved"));
  EXPECT_EQ(Checkpoints(run).front().filename(), "step_000084");
}

TEST(FaultTest, AStopInAnEvaluationSavesTheStepBeforeItAndGoesOnExactly) {
  const UpRun undisturbed("evaluation_undisturbed", kConfig);
  ASSERT_EQ(undisturbed.Start({}, "", kLimitS).exit_code, 0);
  const UpRun run("evaluation_stop", kConfig);
  // The third evaluation follows step 4 of the last stage, step 86 of the run; the last one ends
  // it.
  const ProcessRun first = StopAt(run, "trainer.evaluate=term@3", {});
  EXPECT_EQ(first.exit_code, 75) << first.output;
  EXPECT_EQ(Checkpoints(run).front().filename(), "step_000086");
  const ProcessRun second = StopAt(run, "trainer.evaluate=term@4", {});
  EXPECT_EQ(second.exit_code, 75) << second.output;
  EXPECT_EQ(Checkpoints(run).front().filename(), "step_000094");
  const ProcessRun third = run.Start({}, "", kLimitS);
  EXPECT_EQ(third.exit_code, 0) << third.output;
  EXPECT_EQ(run.Digests(), undisturbed.Digests());
  // Finished means finished: nothing is trained or measured again.
  const ProcessRun fourth = run.Start({}, "trainer.evaluate=error,role=trainer", kLimitS);
  EXPECT_EQ(fourth.exit_code, 0) << fourth.output;
  EXPECT_EQ(run.Digests(), undisturbed.Digests());
}

TEST(FaultTest, RanksHearFromRankZeroWhileItWaitsForGroups) {
  const UpRun run("slow_groups", kConfig);
  // Four groups of a step, one after the other, take longer than one collective may.
  const ProcessRun result =
      run.Start({"trainer.collective_timeout_s=4", "stages.reason.num_steps=1",
                 "evaluation.final.num_prompts=1", "evaluation.heldout.num_prompts=1"},
                "rollout.prefill=delay:1200,role=worker", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, ::testing::Not(HasSubstr("no answer"))) << result.output;
}

TEST(FaultTest, ARankZeroThatHangsIsNoticedAndTheRunFinishes) {
  const UpRun run("hanging_rank", kConfig);
  const ProcessRun result = run.Start(
      {"trainer.collective_timeout_s=4"},
      "trainer.evaluate=delay:600000@3,role=trainer,rank=0,once=" + run.Marker("hang"), kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("rank 1 of 2: PatientBroadcast"));
  EXPECT_THAT(result.output, HasSubstr("no answer for 4.0 s"));
}

TEST(FaultTest, AStageThatHasJustBegunGoesOnUnderChangedFreeKeys) {
  const UpRun run("free_keys", kConfig);
  const ProcessRun killed =
      run.Start({"launch.max_restarts=0"}, "trainer.backward=kill@2,role=trainer,rank=0", kLimitS);
  EXPECT_NE(killed.exit_code, 0);
  const ProcessRun result = run.Start(
      {"checkpoint.keep=5", "launch.trainer_ranks=1", "stages.reason.num_steps=2"}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST(FaultTest, AStageIsNeverShorterThanWhatIsDone) {
  const UpRun run("shorter", kConfig);
  EXPECT_NE(RunHalf(run).exit_code, 0);
  const ProcessRun result = run.Start({"stages.reason.num_steps=1"}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("expected num_steps of at least"));
}

TEST(FaultTest, ANonFiniteGradientEndsTheRunAsDiverged) {
  const UpRun run("diverged", kConfig);
  const ProcessRun result = run.Start({}, "trainer.optimizer=nan,role=trainer,rank=1", kLimitS);
  EXPECT_EQ(result.exit_code, 76) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the update was skipped on all ranks"));
  EXPECT_THAT(result.output, HasSubstr("training diverged"));
}

TEST(FaultTest, ARunFolderIsNeverReusedForAnotherExperiment) {
  const UpRun run("other_experiment", kConfig);
  EXPECT_NE(RunHalf(run).exit_code, 0);
  const ProcessRun result = run.Start({"stages.reason.clip.high=0.5"}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stages.reason.clip.high"));
}

TEST(FaultTest, AWrongExperimentEndsBeforeAnythingStarts) {
  const UpRun run("wrong", kConfig);
  const ProcessRun result = run.Start({"stages.reason.num_stepz=3"}, "", kLimitS);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("did you mean 'num_steps'?"));
  EXPECT_FALSE(fs::exists(run.folder()));
}

TEST(FaultTest, APortInUseIsNamed) {
  const UpRun run("port", kConfig);
  const UniqueFd holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(holder.get(), any, size), 0);
  ASSERT_EQ(listen(holder.get(), 1), 0);
  ASSERT_EQ(getsockname(holder.get(), any, &size), 0);
  const std::string taken = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const ProcessRun result =
      RunCommand(Program("ponder_trainer") + " --config " + ConfigPath() +
                     " --set run.dir=" + run.directory() + " --listen " + taken,
                 {}, kLimitS);
  EXPECT_EQ(result.exit_code, 74) << result.output;
  EXPECT_THAT(result.output, HasSubstr("cannot listen on " + taken));
}

TEST(FaultTest, AStopSavesAndTheNextStartGoesOnExactly) {
  const UpRun undisturbed("stop_undisturbed", kConfig);
  const std::vector<std::string> overrides = {"stages.reason.num_steps=200"};
  ASSERT_EQ(undisturbed.Start(overrides, "", kLimitS).exit_code, 0);
  const UpRun run("stop", kConfig);
  // A delay in every update makes the run long enough to be stopped in the middle.
  const ProcessRun stopped =
      RunCommand("bash -c '" + Program("ponder") + " up " + ConfigPath() +
                     " --set run.dir=" + run.directory() + " --set run.name=run --set " +
                     overrides[0] + " & until grep -q reason " + run.folder() +
                     "/metrics.jsonl; do sleep 0.1; done 2>/dev/null; kill -TERM $!; wait $!'",
                 {{"PONDER_FAILPOINTS", "trainer.backward=delay:40,role=trainer"}}, kLimitS);
  EXPECT_EQ(stopped.exit_code, 75) << stopped.output;
  EXPECT_THAT(stopped.output, HasSubstr("stopped as asked"));
  const ProcessRun result = run.Start(overrides, "", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("resuming at"));
  EXPECT_EQ(run.Digests(), undisturbed.Digests());
}

}  // namespace
}  // namespace ponder
