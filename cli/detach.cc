#include "cli/detach.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "cli/monitor/log_text.h"
#include "cli/monitor/run_status.h"
#include "cli/supervisor/process_log.h"
#include "core/base/error.h"

namespace ponder {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{50};
// Longer than the supervisor waits for a trainer that does not listen.
constexpr std::chrono::seconds kHealthDeadline{180};
constexpr size_t kShownBytes = size_t{1} << 16;

// In the child. Never returns.
[[noreturn]] void Supervise(const UniqueFd& log, const std::function<int()>& supervise) {
  setsid();
  const int null_fd = open("/dev/null", O_RDONLY);
  dup2(null_fd, STDIN_FILENO);
  dup2(log.get(), STDOUT_FILENO);
  dup2(log.get(), STDERR_FILENO);
  int code = RowOf(Condition::kInternal).exit_code;
  try {
    code = supervise();
  } catch (const Error& error) {
    std::fprintf(stderr, "ponder: error: %s\n", error.what());
    code = error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ponder: internal error: %s\n", error.what());
  }
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

int RunDetached(FileSystem& files, const std::string& run_folder, const std::string& log_path,
                const std::function<int()>& supervise) {
  const UniqueFd log = OpenLog(log_path);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    throw Error(Condition::kIo,
                std::string("start in the background: fork: ") + std::strerror(errno));
  }
  if (child == 0) Supervise(log, supervise);
  const auto begin = steady_clock::now();
  while (steady_clock::now() - begin < kHealthDeadline) {
    int wait_status = 0;
    if (waitpid(child, &wait_status, WNOHANG) == child) {
      const std::string said = ReadTail(log_path, kShownBytes);
      std::fwrite(said.data(), 1, said.size(), stderr);
      return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    }
    const RunStatus status = ReadRunStatus(files, run_folder);
    if (status.supervisor.pid == child && status.state == RunPhase::kRunning) return 0;
    std::this_thread::sleep_for(kPollInterval);
  }
  throw Error(Condition::kDeadline,
              "start in the background: the run is neither healthy nor ended after " +
                  std::to_string(kHealthDeadline.count()) + " s (it goes on; see " + log_path +
                  ", 'ponder status' and 'ponder stop')");
}

}  // namespace ponder
