// The live view on a real pseudo-terminal, over fake processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/cli/supervisor/fake_processes.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

class LiveViewTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "live_view_" + std::to_string(getpid()) + "_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (pid_ > 0) kill(pid_, SIGKILL);
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    close(terminal_);
    fs::remove_all(folder_);
  }
  // A supervisor, its trainer and its worker with this terminal. `variables`: NAME=VALUE.
  void Start(std::vector<std::string> variables, const std::string& trainer_action) {
    winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
    ASSERT_GE(pid_, 0);
    if (pid_ > 0) return;
    unsetenv("PONDER_PROGRESS");
    unsetenv("NO_COLOR");
    for (std::string& variable : variables) putenv(variable.data());
    const std::string self = fs::read_symlink("/proc/self/exe").string();
    execl(self.c_str(), self.c_str(), "--child=supervisor", folder_.c_str(), "5", "serve",
          trainer_action.c_str(), nullptr);
    _exit(127);
  }
  // Reads on until `condition` holds of what was read since `from`; false after 20 s or at the end.
  bool ReadUntil(const std::function<bool()>& condition) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      pollfd ready{terminal_, POLLIN, 0};
      if (steady_clock::now() > deadline) return false;
      if (poll(&ready, 1, 100) <= 0) continue;
      char buffer[4096];
      const ssize_t count = read(terminal_, buffer, sizeof buffer);
      if (count <= 0) return condition();
      text_.append(buffer, static_cast<size_t>(count));
    }
    return true;
  }
  bool Shows(const std::string& part) {
    return ReadUntil([&] { return text_.find(part) != std::string::npos; });
  }
  int Finish() {
    ReadUntil([] { return false; });
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string folder_;
  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string text_;
};

TEST_F(LiveViewTest, ShowsTheProcessesFollowsTheWidthAndLeavesTheTerminalAsItWas) {
  Start({"TERM=xterm"}, "serve");
  termios before{};
  tcgetattr(terminal_, &before);
  ASSERT_TRUE(Shows("worker0")) << text_;
  ASSERT_TRUE(Shows("restarts")) << "eighty columns have room for it";
  text_.clear();
  winsize narrow{.ws_row = 24, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(ioctl(terminal_, TIOCSWINSZ, &narrow), 0);
  ASSERT_TRUE(Shows("worker0")) << text_;
  EXPECT_THAT(text_, Not(HasSubstr("restarts")));
  ASSERT_EQ(write(terminal_, "\x03", 1), 1);  // Ctrl-C
  EXPECT_EQ(Finish(), 130) << text_;
  EXPECT_THAT(text_, HasSubstr("interrupted: the processes stop"));
  EXPECT_GT(text_.rfind("\033[?25h"), text_.rfind("\033[?25l")) << "the cursor is hidden";
  termios after{};
  tcgetattr(terminal_, &after);
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  EXPECT_EQ(after.c_iflag, before.c_iflag);
}

TEST_F(LiveViewTest, AfterACrashTheCauseStandsAndThePictureIsGone) {
  Start({"TERM=xterm"}, "exit:70");
  EXPECT_EQ(Finish(), 70) << text_;
  EXPECT_THAT(text_, HasSubstr("trainer: planned end of start 1"));
  EXPECT_GT(text_.rfind("\033[J"), text_.rfind("rank0")) << "the picture was not erased";
}

TEST_F(LiveViewTest, HasNoColoursWithNoColor) {
  Start({"TERM=xterm", "NO_COLOR=1"}, "exit:70");
  EXPECT_EQ(Finish(), 70) << text_;
  EXPECT_THAT(text_, HasSubstr("rank0"));
  EXPECT_THAT(text_, Not(HasSubstr("\033[3")));
}

TEST_F(LiveViewTest, IsPlainLinesOnADumbTerminal) {
  Start({"TERM=dumb"}, "exit:70");
  EXPECT_EQ(Finish(), 70) << text_;
  EXPECT_THAT(text_, HasSubstr("progress of start 1"));
  EXPECT_THAT(text_, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  if (const auto code = ponder::RunAsChild(argc, argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
