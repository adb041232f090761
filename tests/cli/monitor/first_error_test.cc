// The logs here were recorded from real failures; names of hosts and long parts are cut.
#include "cli/monitor/first_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/monitor/line_filter.h"

namespace ponder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kSince = "10:00:00.000";
constexpr const char* kNow = "10:00:10.000";

std::optional<ErrorCause> First(const std::string& trainer, const std::string& worker = "") {
  return FirstError({{"trainer", trainer}, {"worker0", worker}}, kSince, kNow);
}

constexpr const char* kRankKilled =
    "10:00:01.981 I trainer/0  rank 0 listens on port 51733, run x, attempt 1\n"
    "stage 1/3 pretrain: 80 steps\n"
    "--------------------------------------------------------------------------\n"
    "Primary job  terminated normally, but 1 process returned\n"
    "a non-zero exit code. Per user-direction, the job has been aborted.\n"
    "--------------------------------------------------------------------------\n"
    "--------------------------------------------------------------------------\n"
    "mpirun noticed that process rank 1 with PID 0 on node a exited on signal 9 (Killed).\n"
    "--------------------------------------------------------------------------\n";

constexpr const char* kRankThrew =
    "10:00:06.140 I trainer/0  rank 0 listens on port 47913, run x, attempt 1\n"
    "stage 1/3 pretrain: 80 steps\n"
    "rank 1 of 2: ends the job with exit code 74: failpoint trainer.backward fired\n"
    "--------------------------------------------------------------------------\n"
    "MPI_ABORT was invoked on rank 1 in communicator MPI COMMUNICATOR 3 DUP FROM 0\n"
    "with errorcode 74.\n"
    "\n"
    "NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.\n"
    "You may or may not see output from other processes, depending on\n"
    "exactly when Open MPI kills them.\n"
    "--------------------------------------------------------------------------\n";

constexpr const char* kPortInUse =
    "rank 0 of 2: ends the job with exit code 74: cannot listen on 127.0.0.1:39555: is the port in "
    "use? (choose another one, or port 0 for a free one)\n"
    "[a:22739] [[13357,0],0] ORTE_ERROR_LOG: Data unpack would read past end of buffer in file "
    "show_help.c at line 513\n";

constexpr const char* kWrongKernelPath =
    "worker: error: Experience.Register at the trainer failed (config): registering worker "
    "'worker0': expected one that can run kernel path 'aten_f64', which this run uses, got "
    "aten_f32\n";

TEST(FirstErrorTest, ARankThatWasKilledIsNamedThoughItCouldNotSpeak) {
  EXPECT_EQ(First(kRankKilled), (ErrorCause{"rank1", "killed by signal 9 (Killed)"}));
}

TEST(FirstErrorTest, ARankThatThrewIsToldInItsOwnWords) {
  EXPECT_EQ(First(kRankThrew), (ErrorCause{"rank1", "failpoint trainer.backward fired"}));
  EXPECT_EQ(First(kPortInUse)->process, "rank0");
  EXPECT_EQ(First(kPortInUse)->text,
            "cannot listen on 127.0.0.1:39555: is the port in use? (choose another one, or port 0 "
            "for a free one)");
}

TEST(FirstErrorTest, AWorkerThatIsRefusedIsNamedByItsLog) {
  const auto cause = First("10:00:06.137 I trainer/0  rank 0 listens\n", kWrongKernelPath);
  EXPECT_EQ(cause->process, "worker0");
  EXPECT_TRUE(cause->text.starts_with("Experience.Register at the trainer failed (config): "));
}

TEST(FirstErrorTest, EchoesOfOtherProcessesNeverHideTheCause) {
  const std::string echoes =
      "10:00:02.000 E worker0  the heartbeat failed, registering again: Experience.RenewLeases: "
      "unavailable: Connection refused\n"
      "10:00:02.100 E worker0  Model.Watch at the trainer failed (unavailable): Socket closed\n";
  EXPECT_EQ(First(kRankThrew, echoes)->process, "rank1");
  EXPECT_EQ(First(kRankKilled, echoes)->process, "rank1");
  const std::string other_rank =
      "rank 0 of 2: ends the job with exit code 75: rank 0 of 2: AllReduceSum of 64 f32: no answer "
      "within 60 s\n";
  EXPECT_EQ(First(other_rank + kRankThrew)->process, "rank1");
  EXPECT_EQ(First(other_rank + kRankKilled)->process, "rank1");
  EXPECT_EQ(First(other_rank)->process, "rank0") << "an echo is better than nothing";
}

TEST(FirstErrorTest, AmongEqualsItIsTheEarliestOfAllLogs) {
  const std::string trainer = "10:00:01.000 I trainer/0  starts\n10:00:09.500 E trainer/0  late\n";
  const std::string worker =
      "10:00:02.000 W worker  slow\n10:00:07.000 E worker  disk full\n10:00:08.000 E worker  x\n";
  EXPECT_EQ(First(trainer, worker), (ErrorCause{"worker0", "disk full"}));
}

TEST(FirstErrorTest, AnErrorBeforeTheAttemptIsNoCause) {
  EXPECT_EQ(First("", "09:59:59.999 E worker  of the attempt before\n"), std::nullopt);
  EXPECT_EQ(First("nothing wrong here\n"), std::nullopt);
}

TEST(FirstErrorTest, TheSpanMayCrossMidnight) {
  const std::vector<ProcessLog> logs{{"a", "00:00:02.000 E a  late\n"},
                                     {"b", "23:59:58.000 E b  early\n"}};
  EXPECT_EQ(FirstError(logs, "23:59:50.000", "00:00:05.000"), (ErrorCause{"b", "early"}));
}

TEST(FirstErrorTest, FurtherLinesOfAMessageAreKept) {
  const auto cause = First(
      "rank 0 of 2: ends the job with exit code 2: run folder x belongs to another experiment:\n"
      "  stages.reason.clip.high: was 0.28, is now 0.5\n"
      "(choose another run.name, or undo the change)\n"
      "stage 1/3\n");
  EXPECT_EQ(cause->text,
            "run folder x belongs to another experiment:\n"
            "  stages.reason.clip.high: was 0.28, is now 0.5\n"
            "(choose another run.name, or undo the change)");
}

class LineFilterTest : public testing::Test {
 protected:
  LineFilter::Time At(int ms) { return LineFilter::Time{} + std::chrono::milliseconds(ms); }
  LineFilter filter_{std::chrono::milliseconds(1000)};
};

TEST_F(LineFilterTest, TheLaunchersBannersAreLeftOut) {
  EXPECT_THAT(
      filter_.Feed(kRankKilled, At(0)),
      ElementsAre("10:00:01.981 I trainer/0  rank 0 listens on port 51733, run x, attempt 1",
                  "stage 1/3 pretrain: 80 steps"));
}

TEST_F(LineFilterTest, AFrameThatNobodyClosesDoesNotSwallowTheRun) {
  const std::string frame(74, '-');
  EXPECT_THAT(filter_.Feed(frame + "\n10:00:01.981 I trainer/0  x\nstep\n", At(0)),
              ElementsAre("10:00:01.981 I trainer/0  x", "step"));
}

TEST_F(LineFilterTest, AnErrorLineWaitsAndIsShownWhenTheTrainerLivesOn) {
  EXPECT_THAT(filter_.Feed("10:00:01.000 E trainer/0  save failed\n  hint\nstep 2\n", At(0)),
              ElementsAre("step 2"));
  EXPECT_THAT(filter_.Expired(At(999)), IsEmpty());
  EXPECT_THAT(filter_.Expired(At(1000)),
              ElementsAre("10:00:01.000 E trainer/0  save failed", "  hint"));
  EXPECT_THAT(filter_.Expired(At(5000)), IsEmpty());
}

TEST_F(LineFilterTest, AnErrorLineOfATrainerThatEndedIsDropped) {
  filter_.Feed(kRankThrew, At(0));
  filter_.Drop();
  EXPECT_THAT(filter_.Expired(At(5000)), IsEmpty());
}

TEST_F(LineFilterTest, LinesAreWholeHoweverTheyArrive) {
  EXPECT_THAT(filter_.Feed("step", At(0)), IsEmpty());
  EXPECT_THAT(filter_.Feed(" 1\nstep 2\nst", At(0)), ElementsAre("step 1", "step 2"));
}

}  // namespace
}  // namespace ponder
