#include "reward/external/command_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Exists and is no zombie.
bool IsAlive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const size_t end_of_name = line.rfind(')');
  return end_of_name != std::string::npos && line[end_of_name + 2] != 'Z';
}

bool EndsSoon(pid_t pid) {
  for (const auto end = steady_clock::now() + std::chrono::seconds(20);
       steady_clock::now() < end;) {
    if (!IsAlive(pid)) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

class CommandProgramTest : public ::testing::Test {
 protected:
  CommandProgramTest() { std::signal(SIGPIPE, SIG_IGN); }

  void Run(const std::string& script) {
    program_ = std::make_unique<CommandProgram>(
        std::vector<std::string>{"sh", "-c", script},
        [this](std::string_view line) { stderr_.emplace_back(line); });
  }
  std::string Ask(std::string_view line, milliseconds limit = std::chrono::seconds(60)) {
    return program_->Exchange(line, steady_clock::now() + limit, [this] { return stop_; });
  }
  // The condition and text of the error that a question ends with.
  std::pair<Condition, std::string> Failure(std::string_view line,
                                            milliseconds limit = std::chrono::seconds(60)) {
    try {
      return {Condition::kUsage, "an answer: " + Ask(line, limit)};
    } catch (const Error& error) {
      return {error.condition(), error.what()};
    }
  }

  bool stop_ = false;
  std::vector<std::string> stderr_;
  std::unique_ptr<CommandProgram> program_;
};

TEST_F(CommandProgramTest, AnswersLineForLine) {
  Run("while read line; do echo \"got $line\"; done");
  EXPECT_EQ(Ask("one"), "got one");
  EXPECT_EQ(Ask("two"), "got two");
}

TEST_F(CommandProgramTest, TakesLinesLargerThanAnyPipe) {
  Run("cat");
  const std::string line(CommandProgram::kMaxLineBytes - 10, 'x');
  EXPECT_EQ(Ask(line), line);
}

TEST_F(CommandProgramTest, HandsOnWhatIsWrittenToStderr) {
  Run("echo loading >&2; read line; echo judging >&2; echo done");
  EXPECT_EQ(Ask("x"), "done");
  EXPECT_THAT(stderr_, ElementsAre("loading", "judging"));
}

TEST_F(CommandProgramTest, TellsHowItDiedAndItsLastWords) {
  Run("read line; echo Traceback >&2; echo 'NameError: x' >&2; exit 3");
  const auto [condition, text] = Failure("x");
  EXPECT_EQ(condition, Condition::kUnavailable);
  EXPECT_EQ(text,
            "it ended with exit code 3 without an answer; the last line of its stderr: "
            "'NameError: x'");
}

TEST_F(CommandProgramTest, TellsTheSignalThatKilledIt) {
  Run("read line; kill -9 $$");
  EXPECT_THAT(Failure("x").second, HasSubstr("killed by signal 9 (Killed)"));
}

TEST_F(CommandProgramTest, IsNotWaitedForBeyondTheDeadline) {
  Run("sleep 1000");
  const auto [condition, text] = Failure("x", milliseconds(50));
  EXPECT_EQ(condition, Condition::kDeadline);
  EXPECT_EQ(text, "no answer in time");
}

TEST_F(CommandProgramTest, IsNotWaitedForOnceTheServiceEnds) {
  Run("sleep 1000");
  stop_ = true;
  EXPECT_EQ(Failure("x").first, Condition::kInterrupted);
}

TEST_F(CommandProgramTest, RefusesALineWithoutEnd) {
  Run("head -c 3000000 /dev/zero | tr '\\0' 'x'; sleep 1000");
  const auto [condition, text] = Failure("x");
  EXPECT_EQ(condition, Condition::kProtocol);
  EXPECT_THAT(text, HasSubstr("expected a line of at most 1048576 bytes"));
}

TEST_F(CommandProgramTest, BoundsWhatAFloodOnStderrPassesOn) {
  Run("yes noise >&2");
  EXPECT_EQ(Failure("x", milliseconds(200)).first, Condition::kDeadline);
  EXPECT_LE(stderr_.size(), 201u);
}

TEST_F(CommandProgramTest, IsKilledWithItsDescendants) {
  Run("sleep 1000 & read line; echo $!; wait");
  const pid_t child = std::stoi(Ask("x"));
  const pid_t parent = program_->pid();
  ASSERT_TRUE(IsAlive(child));
  program_.reset();
  EXPECT_TRUE(EndsSoon(parent));
  EXPECT_TRUE(EndsSoon(child));
}

TEST_F(CommandProgramTest, LeavesNoDescendantBehindWhenItDiedByItself) {
  Run("read line; sleep 1000 >/dev/null 2>&1 & echo $!");
  const pid_t child = std::stoi(Ask("x"));
  EXPECT_EQ(Failure("y").first, Condition::kUnavailable);
  program_.reset();
  EXPECT_TRUE(EndsSoon(child));
}

TEST_F(CommandProgramTest, InheritsNoDescriptor) {
  const int fd = dup(STDERR_FILENO);  // one that is not closed by an exec
  Run("read fd; if [ -e /proc/$$/fd/$fd ]; then echo inherited; else echo none; fi");
  EXPECT_EQ(Ask(std::to_string(fd)), "none");
  close(fd);
}

TEST_F(CommandProgramTest, ACommandThatCannotBeExecutedIsAConfigurationError) {
  try {
    const CommandProgram program({"no-such-program-here"}, [](std::string_view) {});
    FAIL() << "started";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "cannot execute 'no-such-program-here': No such file or directory");
  }
}

}  // namespace
}  // namespace ponder
