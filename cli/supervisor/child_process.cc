#include "cli/supervisor/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/error.h"
#include "core/base/process_tree.h"

namespace ponder {
namespace {

// execvpe takes arrays of pointers; the strings must outlive them.
std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentOf(const ChildSpec& spec) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (spec.environment.count(text.substr(0, text.find('='))) == 0) variables.push_back(text);
  }
  for (const auto& [name, value] : spec.environment) variables.push_back(name + "=" + value);
  return variables;
}

// Between fork and exec: async-signal-safe calls only. Never returns.
[[noreturn]] void Become(char* const* argv, char* const* environment, int death_signal,
                         pid_t parent, int stdout_fd, int stderr_fd, int error_fd) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, death_signal);
  if (getppid() != parent) _exit(127);  // the parent died before the line above
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = open("/dev/null", O_RDONLY);
  dup2(null_fd, STDIN_FILENO);
  // Through copies above 2, since one of the descriptors may be 1 or 2 itself.
  const int out = fcntl(stdout_fd, F_DUPFD_CLOEXEC, 3);
  const int err = fcntl(stderr_fd, F_DUPFD_CLOEXEC, 3);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execvpe(argv[0], argv, environment);
  const int code = errno;
  [[maybe_unused]] const ssize_t written = write(error_fd, &code, sizeof code);
  _exit(127);
}

ExitStatus StatusOf(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {0, WTERMSIG(wait_status)};
  return {WEXITSTATUS(wait_status), 0};
}

}  // namespace

int ExitStatus::killed_by() const {
  if (signal != 0) return signal;
  return code > 128 && code < 128 + NSIG ? code - 128 : 0;
}

std::string ExitStatus::Describe() const {
  if (const int number = killed_by(); number != 0) {
    return "killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  }
  return "exit code " + std::to_string(code);
}

ChildProcess::ChildProcess(const ChildSpec& spec, int stdout_fd, int stderr_fd)
    : name_(spec.name), is_launcher_(spec.is_launcher) {
  std::vector<std::string> arguments = spec.argv;
  std::vector<std::string> variables = EnvironmentOf(spec);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> environment = Pointers(variables);
  std::array<int, 2> error_pipe{};  // carries errno of a failed exec; closed by a successful one
  if (pipe2(error_pipe.data(), O_CLOEXEC) != 0) {
    throw Error(Condition::kIo, "start of " + name_ + ": pipe: " + std::strerror(errno));
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    Become(argv.data(), environment.data(), spec.death_signal, parent, stdout_fd, stderr_fd,
           error_pipe[1]);
  }
  const int fork_error = errno;
  close(error_pipe[1]);
  int exec_error = 0;
  ssize_t n = 0;
  if (pid_ > 0) {
    do {
      n = read(error_pipe[0], &exec_error, sizeof exec_error);
    } while (n < 0 && errno == EINTR);
  }
  close(error_pipe[0]);
  if (pid_ < 0) {
    throw Error(Condition::kIo, "start of " + name_ + ": fork: " + std::strerror(fork_error));
  }
  if (n == sizeof exec_error) {
    waitpid(pid_, nullptr, 0);
    throw Error(Condition::kUsage, "start of " + name_ + ": cannot execute " + spec.argv[0] + ": " +
                                       std::strerror(exec_error));
  }
}

ChildProcess::~ChildProcess() {
  if (Poll()) return;
  Kill();
  waitpid(pid_, nullptr, 0);
}

std::optional<ExitStatus> ChildProcess::Poll() {
  if (status_) return status_;
  int wait_status = 0;
  if (waitpid(pid_, &wait_status, WNOHANG) == pid_) status_ = StatusOf(wait_status);
  return status_;
}

void ChildProcess::AskToStop() {
  if (Poll()) return;
  std::vector<pid_t> targets;
  if (is_launcher_) targets = ChildrenOf(pid_);
  if (targets.empty()) targets.push_back(pid_);
  for (const pid_t pid : targets) kill(pid, SIGTERM);
}

void ChildProcess::Kill() {
  if (Poll()) return;
  KillTree(pid_);
}

}  // namespace ponder
