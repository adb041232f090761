// Signals as a question that loops ask.
#pragma once

#include <atomic>
#include <csignal>
#include <thread>

namespace ponder {

// Blocks SIGTERM, SIGINT and SIGUSR1 in the constructing thread and in all threads that it starts
// later, and waits for them in a thread of its own. Made once, first thing in main. A second signal
// ends the process at once with the exit code of an interruption (SIGINT) or pre-emption (others).
class SignalWatcher {
 public:
  SignalWatcher();
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  // Thread safe.
  bool stop_requested() const { return signal_.load() != 0; }
  // The first signal, 0 before.
  int signal() const { return signal_.load(); }

 private:
  void Run();

  sigset_t watched_{};
  sigset_t before_{};
  std::atomic<int> signal_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace ponder
