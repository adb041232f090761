// What a job does when a rank fails: real jobs under mpirun, whose ranks run this same program. The
// variable PONDER_TEST_FAULT tells a process to be a rank.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "trainer/comm/communicator.h"

namespace ponder {
namespace {

constexpr std::chrono::milliseconds kTimeout{500};

void SumForever(Communicator& comm) {
  std::vector<float> values(8, 1.0F);
  while (true) comm.AllReduceSum({values.data(), values.size(), DType::kF32, nullptr});
}

// Rank 1 misbehaves by the fault's name; rank 0 takes part in the collectives and meets the
// consequence.
void RunFault(Communicator& comm, const std::string& fault) {
  std::vector<float> values(comm.rank() == 0 ? 8 : 12, 1.0F);
  const CommBuffer buffer{values.data(), 8, DType::kF32, nullptr};
  if (fault == "mismatch") {
    comm.AllReduceSum({values.data(), values.size(), DType::kF32, nullptr});
    return;
  }
  if (comm.rank() != 1) {
    if (fault == "throws") {
      comm.SetTimeout(std::chrono::seconds(60));
      comm.PatientBroadcast(buffer, 1);
    }
    if (fault == "silent") comm.PatientBroadcast(buffer, 1);
    if (fault == "absent_twice") {
      try {
        comm.AllReduceSum(buffer);
      } catch (const CommError& error) {
        std::fprintf(stderr, "first: %s\n", error.what());
      }
      comm.Barrier();
    }
    SumForever(comm);
  }
  for (int i = 0; i < 10; ++i) {
    if (fault == "killed") comm.AllReduceSum(buffer);
  }
  if (fault == "killed") kill(getpid(), SIGKILL);
  if (fault == "throws") throw Error(Condition::kBadData, "a checkpoint that cannot be read");
  if (fault == "absent_at_end") return;
  std::this_thread::sleep_for(std::chrono::seconds(60));
}

int RankMain(const std::string& fault) {
  try {
    const auto comm = MakeMpiCommunicator({.timeout = kTimeout});
    if (fault == "throws") {
      RunFault(*comm, fault);  // unwinds through the communicator
      return 0;
    }
    try {
      RunFault(*comm, fault);
    } catch (const CommError& error) {
      comm->Abort(error.what(), error.exit_code());
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "ends: %s\n", error.what());
    return error.exit_code();
  }
}

struct Outcome {
  int exit_code = -1;
  std::string output;
};

// Runs `command`, at most 40 s; a job that hangs gives exit code 124.
Outcome RunCommand(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen(("timeout 40 " + command + " 2>&1").c_str(), "r");
  std::array<char, 4096> chunk{};
  while (size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    outcome.output.append(chunk.data(), n);
  }
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::string ThisProgram() {
  std::array<char, 4096> path{};
  const ssize_t n = readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), static_cast<size_t>(n)};
}

Outcome RunJob(const std::string& fault, const std::string& flags = "") {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  return RunCommand(std::string(source != nullptr ? source : ".") + "/scripts/mpirun.sh " + flags +
                    " -np 2 -x PONDER_TEST_FAULT=" + fault + " " + ThisProgram());
}

bool Contains(const Outcome& outcome, const std::string& text) {
  return outcome.output.find(text) != std::string::npos;
}

TEST(CommFailure, RankThatNeverJoinsEndsTheJobWithRankOperationAndCause) {
  const Outcome outcome = RunJob("absent");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
  EXPECT_TRUE(Contains(
      outcome, "rank 0 of 2: AllReduceSum of 8 F32: no answer for 0.5 s (a peer died or hangs)"))
      << outcome.output;
}

TEST(CommFailure, OperationAfterAFailureIsRefusedAtOnce) {
  const Outcome outcome = RunJob("absent_twice");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "first: rank 0 of 2: AllReduceSum of 8 F32: no answer"))
      << outcome.output;
  EXPECT_TRUE(
      Contains(outcome, "rank 0 of 2: Barrier: not started, since an operation before it failed"))
      << outcome.output;
}

TEST(CommFailure, KilledRankEndsTheJobByTheSignal) {
  const Outcome outcome = RunJob("killed");
  EXPECT_EQ(outcome.exit_code, 128 + SIGKILL) << outcome.output;
}

TEST(CommFailure, KilledRankIsNoticedEvenWhenTheLauncherKeepsTheOthers) {
  const Outcome outcome = RunJob("killed", "--enable-recovery");
  EXPECT_NE(outcome.exit_code, 124) << "the job hung";
  EXPECT_TRUE(Contains(outcome, "rank 0 of 2: AllReduceSum of 8 F32: ")) << outcome.output;
}

TEST(CommFailure, ExceptionOfOneRankEndsThoseThatWaitPatiently) {
  const Outcome outcome = RunJob("throws");
  EXPECT_EQ(outcome.exit_code, 65) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "ends: a checkpoint that cannot be read")) << outcome.output;
}

TEST(CommFailure, PatienceEndsWhenTheRootSaysNothing) {
  const Outcome outcome = RunJob("silent");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "rank 0 of 2: PatientBroadcast of 8 F32: no answer for 0.5 s"))
      << outcome.output;
}

TEST(CommFailure, RankThatLeavesEarlyIsNotWaitedForForever) {
  const Outcome outcome = RunJob("absent_at_end");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "no answer for 0.5 s")) << outcome.output;
}

TEST(CommFailure, DifferentCountsAreAnErrorNotADifferentSum) {
  const Outcome outcome = RunJob("mismatch");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "AllReduceSum of ")) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "do the ranks agree on")) << outcome.output;
}

TEST(CommFailure, LauncherOfAnotherMpiIsNamed) {
  const Outcome outcome =
      RunCommand("env OMPI_COMM_WORLD_SIZE=4 PONDER_TEST_FAULT=none " + ThisProgram());
  EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
  EXPECT_TRUE(Contains(outcome, "the launcher started 4 processes, but each sees a world of 1"))
      << outcome.output;
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  if (const char* fault = std::getenv("PONDER_TEST_FAULT")) return ponder::RankMain(fault);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
