#include "cli/supervisor/stop_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/error.h"

namespace ponder {
namespace {

// Where the handler writes: a handler has no other way to know. Set while a StopSignals lives.
std::atomic<int> handler_fd{-1};

void OnSignal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const ssize_t n = write(handler_fd.load(), &byte, 1);
  errno = saved;
}

}  // namespace

StopSignals::StopSignals() {
  PONDER_CHECK(handler_fd.load() < 0) << "one StopSignals at a time";
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw Error(Condition::kIo, std::string("watch for signals: pipe: ") + std::strerror(errno));
  }
  output_ = UniqueFd(ends[0]);
  input_ = UniqueFd(ends[1]);
  handler_fd = input_.get();
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kWatched.size(); ++i) {
    sigaction(kWatched[i], &action, &before_[i]);
    const bool is_ignored_hangup = kWatched[i] == SIGHUP && before_[i].sa_handler == SIG_IGN;
    if (is_ignored_hangup) sigaction(SIGHUP, &before_[i], nullptr);
  }
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &before_pipe_);
}

StopSignals::~StopSignals() {
  sigaction(SIGPIPE, &before_pipe_, nullptr);
  for (size_t i = 0; i < kWatched.size(); ++i) sigaction(kWatched[i], &before_[i], nullptr);
  handler_fd = -1;
}

int StopSignals::Next() {
  unsigned char number = 0;
  while (read(output_.get(), &number, 1) == 1) {
    if (number != SIGCHLD) return number;
  }
  return 0;
}

}  // namespace ponder
