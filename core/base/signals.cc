#include "core/base/signals.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr long kPollNanoseconds = 100'000'000;

}  // namespace

SignalWatcher::SignalWatcher() {
  sigemptyset(&watched_);
  for (const int watched : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&watched_, watched);
  PONDER_CHECK(pthread_sigmask(SIG_BLOCK, &watched_, &before_) == 0) << "signals cannot be blocked";
  thread_ = std::thread([this] { Run(); });
}

SignalWatcher::~SignalWatcher() {
  ending_ = true;
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatcher::Run() {
  while (!ending_) {
    const timespec limit{.tv_sec = 0, .tv_nsec = kPollNanoseconds};
    const int received = sigtimedwait(&watched_, nullptr, &limit);
    if (received <= 0) continue;
    int none = 0;
    if (!signal_.compare_exchange_strong(none, received)) {
      _exit(RowOf(received == SIGINT ? Condition::kInterrupted : Condition::kPreempted).exit_code);
    }
  }
}

}  // namespace ponder
