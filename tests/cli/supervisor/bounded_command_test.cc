// Programs that end, fail, hang, and talk without end.
#include "cli/supervisor/bounded_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace ponder {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong{60'000};

CommandResult RunProgram(std::vector<std::string> argv, milliseconds deadline) {
  ChildSpec spec;
  spec.name = argv.front();
  spec.argv = std::move(argv);
  return RunBounded(spec, deadline);
}

CommandResult Shell(const std::string& script, milliseconds deadline = kLong) {
  return RunProgram({"/bin/sh", "-c", script}, deadline);
}

TEST(RunBoundedTest, GivesOutputAndEnd) {
  const CommandResult result =
      Shell("echo data; echo 'what went wrong' >&2; echo ---- >&2; exit 3");
  EXPECT_FALSE(result.ok());
  ASSERT_TRUE(result.status.has_value());
  EXPECT_EQ(result.status->code, 3);
  EXPECT_EQ(result.out, "data\n");
  EXPECT_EQ(result.Explain(), "exit code 3; its last words: what went wrong");
  EXPECT_TRUE(Shell("true").ok());
}

TEST(RunBoundedTest, KillsAHangingProgramWithItsDescendants) {
  const CommandResult result = Shell("sleep 600 & echo $!; wait", milliseconds(300));
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(result.status.has_value());
  EXPECT_THAT(result.Explain(), HasSubstr("no end after 300 ms"));
  const pid_t descendant = std::atoi(result.out.c_str());
  ASSERT_GT(descendant, 1) << result.out;
  // Gone, or a corpse that its new parent has not collected yet: a signal is no longer taken.
  for (int i = 0; i < 1000 && kill(descendant, 0) == 0; ++i) {
    const std::string state =
        Shell("cut -d' ' -f3 /proc/" + std::to_string(descendant) + "/stat").out;
    if (state != "S\n" && state != "R\n") return;
  }
  EXPECT_EQ(kill(descendant, 0), -1);
}

TEST(RunBoundedTest, EndlessOutputEndsIt) {
  const CommandResult result = Shell("yes");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.Explain(), HasSubstr("endless output"));
  EXPECT_LE(result.out.size(), size_t{1} << 20);
}

TEST(RunBoundedTest, AProgramThatIsNotThereIsAResultToo) {
  const CommandResult result = RunProgram({"/nonexistent/program"}, kLong);
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.Explain(), HasSubstr("/nonexistent/program: No such file"));
}

}  // namespace
}  // namespace ponder
