#include "cli/supervisor/process_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/error.h"

namespace ponder {
namespace {

using testing::ElementsAre;

TEST(LastLines, GivesTheLastOnesInOrder) {
  EXPECT_THAT(LastLines("a\nb\nc\n", 2), ElementsAre("b", "c"));
  EXPECT_THAT(LastLines("a\nb\nc", 2), ElementsAre("b", "c"));
  EXPECT_THAT(LastLines("a\n", 5), ElementsAre("a"));
  EXPECT_THAT(LastLines("", 5), ElementsAre());
  EXPECT_THAT(LastLines("a\n\nb\n", 2), ElementsAre("", "b"));
}

TEST(LastLines, ShowsOnlyTheLastStateOfARedrawnLine) {
  EXPECT_THAT(LastLines("\rstep 1\rstep 2\rstep 3\nend\r\n", 2), ElementsAre("step 3", "end"));
}

TEST(FirstError, IsTheEarliestOfAllLogs) {
  const std::string trainer =
      "10:00:01.000 I trainer/0  starts\n10:00:09.500 E trainer/0  AllReduceSum: no answer\n";
  const std::string worker =
      "10:00:02.000 W worker0  slow\n10:00:07.000 E worker0  disk full\n10:00:08.000 E worker0  "
      "x\n";
  EXPECT_EQ(FirstError({trainer, worker}, "10:00:00.000", "10:00:10.000"),
            "10:00:07.000 E worker0  disk full");
}

TEST(FirstError, IgnoresErrorsBeforeTheAttempt) {
  const std::string worker = "09:59:59.999 E worker0  the trainer before this one was killed\n";
  EXPECT_EQ(FirstError({worker}, "10:00:00.000", "10:00:10.000"), "");
}

TEST(FirstError, CrossesMidnight) {
  const std::string log = "00:00:02.000 E a  late\n";
  const std::string other = "23:59:58.000 E b  early\n";
  EXPECT_EQ(FirstError({log, other}, "23:59:50.000", "00:00:05.000"), "23:59:58.000 E b  early");
}

TEST(FirstError, TakesWhatAProgramPrintsAtItsEndByTheTimeOfTheLineBefore) {
  const std::string trainer =
      "10:00:01.000 I trainer/1  starts\n"
      "trainer: error: read of MANIFEST.json: bad digest\n"
      "10:00:03.000 E trainer/0  echo\n";
  EXPECT_EQ(FirstError({trainer}, "10:00:00.000", "10:00:10.000"),
            "trainer: error: read of MANIFEST.json: bad digest");
  EXPECT_EQ(FirstError({"rank 1 of 2: ends the job with exit code 75: x\n"}, "10:00:00.000",
                       "10:00:10.000"),
            "rank 1 of 2: ends the job with exit code 75: x");
  EXPECT_EQ(FirstError({"nothing wrong here\n"}, "10:00:00.000", "10:00:10.000"), "");
}

TEST(OutputTee, CopiesToTheLogAndToTheLiveStream) {
  const std::string folder = testing::TempDir();
  const std::string log_path = folder + "tee_log";
  const std::string live_path = folder + "tee_live";
  std::remove(log_path.c_str());
  std::remove(live_path.c_str());
  const UniqueFd log = OpenLog(log_path);
  const UniqueFd live = OpenLog(live_path);
  OutputTee tee(log.get(), live.get());
  EXPECT_TRUE(tee.Pump());  // nothing there, somebody may still write
  ASSERT_EQ(write(tee.input(), "hello\n", 6), 6);
  EXPECT_TRUE(tee.Pump());
  tee.CloseInput();
  EXPECT_FALSE(tee.Pump());
  EXPECT_EQ(ReadTail(log_path, 100), "hello\n");
  EXPECT_EQ(ReadTail(live_path, 100), "hello\n");
  EXPECT_EQ(ReadTail(live_path, 3), "lo\n");
}

TEST(OpenLog, NamesThePathThatCannotBeOpened) {
  try {
    OpenLog("/nonexistent/folder/x.log");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_STREQ(error.what(), "open of log /nonexistent/folder/x.log: No such file or directory");
  }
}

}  // namespace
}  // namespace ponder
