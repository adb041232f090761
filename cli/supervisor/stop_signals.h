// SIGINT, SIGTERM and SIGHUP as something to wait for.
#pragma once

#include <array>
#include <csignal>

#include "cli/supervisor/process_log.h"

namespace ponder {

// While it lives, the process's SIGINT, SIGTERM, SIGHUP (unless it was ignored, as by nohup) and
// SIGCHLD arrive here, whichever thread takes them (libraries start threads of their own, so
// blocking them in one thread would not do).
// Restores the handlers before it at its end. One at a time; main thread only.
class StopSignals {
 public:
  StopSignals();  // throws Error(kIo)
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // What poll() should watch.
  int fd() const { return output_.get(); }
  // The next SIGINT, SIGTERM or SIGHUP, or 0. Never blocks. SIGCHLD only wakes poll().
  int Next();

 private:
  static constexpr std::array<int, 4> kWatched{SIGINT, SIGTERM, SIGHUP, SIGCHLD};
  UniqueFd output_;
  UniqueFd input_;
  std::array<struct sigaction, kWatched.size()> before_{};
  struct sigaction before_pipe_ {};
};

}  // namespace ponder
