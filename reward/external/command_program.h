// A user's program that answers lines with lines.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.h"

namespace ponder {

// Owns a running program in a process group of its own: destruction kills it with its descendants,
// and reaps it. Used by one thread at a time. The caller ignores SIGPIPE.
class CommandProgram {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  // Starts `argv` (argv[0] is a path, or a name to be found in PATH) with pipes for its three
  // streams and no other descriptor of this process; its signals are at their defaults. By
  // posix_spawn: gRPC does not survive a fork. `on_stderr` gets the lines that it writes to stderr,
  // cut to a bounded length, while an Exchange lasts. Throws ConfigError when it cannot be
  // executed.
  CommandProgram(const std::vector<std::string>& argv,
                 std::function<void(std::string_view line)> on_stderr);
  ~CommandProgram();
  CommandProgram(const CommandProgram&) = delete;
  CommandProgram& operator=(const CommandProgram&) = delete;

  pid_t pid() const { return pid_; }

  // Writes `request` and a line feed, and returns the next line of stdout without it. After an
  // exception the program is of no more use. Throws Error: kUnavailable with exit status and last
  // line of stderr when it ended, kDeadline, kProtocol on a line of more than kMaxLineBytes,
  // kInterrupted once `stop` is true.
  std::string Exchange(std::string_view request, Deadline deadline,
                       const std::function<bool()>& stop);

 private:
  // What `fd` holds now, without waiting, is appended to `text`. False at its end.
  static bool Drain(int fd, std::string* text);
  void TakeStderr();
  // Hands complete lines on; at most kMaxStderrLines of one exchange.
  void EmitStderr();
  [[noreturn]] void ThrowEnded();

  const std::function<void(std::string_view)> on_stderr_;
  pid_t pid_ = -1;
  bool is_reaped_ = false;
  UniqueFd stdin_;
  UniqueFd stdout_;
  UniqueFd stderr_;
  std::string out_;  // read from stdout, not yet taken
  std::string err_;  // likewise, the beginning of a line
  std::string last_stderr_line_;
  int num_stderr_lines_ = 0;  // of the present exchange
};

}  // namespace ponder
