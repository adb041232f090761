// One child process in a process group of its own.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ponder {

struct ChildSpec {
  std::string name;               // "trainer", "worker0", "reward0"
  std::vector<std::string> argv;  // argv[0] is a path, or a name to be found in PATH
  std::map<std::string, std::string> environment;  // added to this process's own
  int death_signal = SIGKILL;                      // what the child gets when this process dies
  // A program that starts the ones that do the work (mpirun), and would not pass a request to stop
  // on to them in time: they get it directly.
  bool is_launcher = false;
};

// How a process ended.
struct ExitStatus {
  int code = 0;    // when signal is 0
  int signal = 0;  // the signal that killed it, or 0
  // What a shell shows: the code, or 128 + signal.
  int shell_code() const { return signal != 0 ? 128 + signal : code; }
  // mpirun reports a rank that a signal killed as 128 + signal: the same for both forms.
  int killed_by() const;
  std::string Describe() const;  // "exit code 75", "killed by signal 9 (Killed)"
};

// Owns a running process: destruction kills it and all its descendants, and reaps it. Not thread
// safe; started from the main thread only, since the death signal follows the thread that started
// it.
class ChildProcess {
 public:
  // Starts `spec` with stdin from /dev/null, and stdout and stderr to the two descriptors
  // (borrowed). Signals are unblocked and at their defaults in the child. Uses fork and exec: the
  // caller must not hold gRPC objects. Throws Error(kUsage) naming the program when it cannot be
  // executed, Error(kIo) when a process cannot be made.
  ChildProcess(const ChildSpec& spec, int stdout_fd, int stderr_fd);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  // Never blocks. Set once the process has ended; it is then reaped.
  std::optional<ExitStatus> Poll();

  // SIGTERM, to a launcher's children instead of itself.
  void AskToStop();
  // SIGKILL to the whole tree.
  void Kill();

 private:
  const std::string name_;
  const bool is_launcher_;
  pid_t pid_ = -1;
  std::optional<ExitStatus> status_;
};

}  // namespace ponder
