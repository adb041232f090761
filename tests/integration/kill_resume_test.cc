// Real kills: every process, in every phase it has. The run must finish by itself with the bytes of
// an undisturbed one.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 240;

// The configuration trains 80 + 2 steps by imitation before the 12 steps that sample; hits of the
// trainer's failpoints are chosen to lie in the latter, and kill each process once.

// One kill -9: which failpoint, at which hit, in which process.
struct Kill {
  const char* name;
  const char* failpoint;
  int hit;
  const char* filter;  // "role=..." with an optional rank
};

void PrintTo(const Kill& kill, std::ostream* stream) { *stream << kill.name; }

std::map<std::string, std::string> UndisturbedDigests() {
  static const std::map<std::string, std::string> kDigests = [] {
    const UpRun run("undisturbed", kConfig);
    const ProcessRun result = run.Start({}, "", kLimitS);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return run.Digests();
  }();
  return kDigests;
}

class KillTest : public ::testing::TestWithParam<Kill> {};

TEST_P(KillTest, TheRunFinishesWithTheBytesOfAnUndisturbedOne) {
  const Kill& kill = GetParam();
  const auto expected = UndisturbedDigests();
  const UpRun run(std::string("kill_") + kill.name, kConfig);
  const std::string failpoints = std::string(kill.failpoint) + "=kill@" + std::to_string(kill.hit) +
                                 "," + kill.filter + ",once=" + run.Marker(kill.name);
  const ProcessRun result = run.Start({}, failpoints, kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ASSERT_TRUE(std::ifstream(run.Marker(kill.name)).good()) << "the failpoint never fired";
  const auto digests = run.Digests();
  std::cout << "kill " << kill.name << "\n";
  for (const auto& [file, digest] : expected) {
    const auto found = digests.find(file);
    const std::string got = found == digests.end() ? "missing" : found->second;
    std::cout << "  " << file << "\n    undisturbed " << digest << "\n    killed      " << got
              << "\n";
    EXPECT_EQ(got, digest) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(
    EveryPhase, KillTest,
    ::testing::Values(Kill{"trainer_register", "trainer.register", 1, "role=trainer"},
                      Kill{"worker_prefill", "rollout.prefill", 9, "role=worker"},
                      Kill{"worker_decode", "rollout.decode", 120, "role=worker"},
                      Kill{"worker_score", "rollout.score", 11, "role=worker"},
                      Kill{"worker_submit", "rollout.submit", 13, "role=worker"},
                      Kill{"worker_register", "rollout.register", 1, "role=worker"},
                      Kill{"reward_register", "reward.register", 1, "role=reward"},
                      Kill{"reward_score", "reward.score", 17, "role=reward"},
                      Kill{"reward_reply", "reward.reply", 19, "role=reward"},
                      Kill{"trainer_submit", "trainer.submit", 21, "role=trainer"},
                      Kill{"rank0_broadcast", "trainer.broadcast", 6, "role=trainer,rank=0"},
                      Kill{"rank1_broadcast", "trainer.broadcast", 6, "role=trainer,rank=1"},
                      Kill{"rank0_backward", "trainer.backward", 88, "role=trainer,rank=0"},
                      Kill{"rank1_backward", "trainer.backward", 88, "role=trainer,rank=1"},
                      Kill{"rank0_reduce", "trainer.reduce", 91, "role=trainer,rank=0"},
                      Kill{"rank1_reduce", "trainer.reduce", 91, "role=trainer,rank=1"},
                      Kill{"rank0_optimizer", "trainer.optimizer", 93, "role=trainer,rank=0"},
                      Kill{"rank1_optimizer", "trainer.optimizer", 93, "role=trainer,rank=1"},
                      Kill{"rank0_publish", "trainer.publish", 7, "role=trainer,rank=0"},
                      Kill{"rank0_evaluate", "trainer.evaluate", 3, "role=trainer,rank=0"},
                      Kill{"rank1_evaluate", "trainer.evaluate", 3, "role=trainer,rank=1"},
                      Kill{"rank0_checkpoint", "trainer.checkpoint", 22, "role=trainer,rank=0"},
                      Kill{"rank1_checkpoint", "trainer.checkpoint", 22, "role=trainer,rank=1"},
                      Kill{"rank0_rename", "checkpoint.rename", 22, "role=trainer,rank=0"},
                      Kill{"rank0_latest", "checkpoint.latest", 22, "role=trainer,rank=0"},
                      Kill{"rank0_retention", "checkpoint.retention", 22, "role=trainer,rank=0"}),
    [](const ::testing::TestParamInfo<Kill>& tested) { return std::string(tested.param.name); });

TEST(KillControlTest, LeavingTheOptimizerMomentsOutOfAResumeChangesTheBytes) {
  const auto expected = UndisturbedDigests();
  const UpRun run("control", kConfig);
  const ProcessRun result =
      run.Start({},
                "trainer.backward=kill@90,role=trainer,rank=0,once=" + run.Marker("control") +
                    ";resume.skip_moments=nan,role=trainer",
                kLimitS);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(run.Digests(), expected) << "a resume that forgets the moments must not look exact";
}

}  // namespace
}  // namespace ponder
