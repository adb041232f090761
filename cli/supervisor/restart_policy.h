// When a process that ended is started again. Pure: no processes, no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/supervisor/child_process.h"

namespace ponder {

// What follows the end of the trainer.
struct TrainerVerdict {
  enum class Action { kFinished, kRestart, kGiveUp };
  Action action = Action::kGiveUp;
  std::string reason;  // one line for the user; empty when finished
};

// Restarts only what a restart can cure (a temporary failure, exit code 75, or death by a signal),
// at most `max_restarts` times, and not when two ends in a row brought no step: the run would die
// at the same place for ever.
class TrainerRestartPolicy {
 public:
  // `first_step`: the newest checkpoint's step before the first start, -1 for none.
  TrainerRestartPolicy(int64_t max_restarts, int64_t first_step)
      : max_restarts_(max_restarts), last_step_(first_step) {}

  // `newest_step`: of the newest checkpoint now, -1 for none.
  TrainerVerdict OnExit(const ExitStatus& status, int64_t newest_step);

  int64_t num_restarts() const { return num_restarts_; }

 private:
  const int64_t max_restarts_;
  int64_t last_step_;
  int64_t num_restarts_ = 0;
  int ends_without_gain_ = 0;
};

// Workers and reward services are replaceable, so any end is followed by a start, except ends that
// would repeat: usage or config (2), bad data (65), a bug (70), divergence (76).
bool IsPermanentFailure(const ExitStatus& status);

struct BackoffLimits {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds longest{5000};
  // A process that ran for so long starts over with the first delay.
  std::chrono::milliseconds steady{10'000};
};

// How long to wait before the next start of one process: doubles with every short life.
class RestartBackoff {
 public:
  explicit RestartBackoff(const BackoffLimits& limits) : limits_(limits), next_(limits.first) {}

  // A process that left by itself with code 0 was told to and waits the longest delay.
  std::chrono::milliseconds OnExit(const ExitStatus& status, std::chrono::milliseconds lifetime);

 private:
  const BackoffLimits limits_;
  std::chrono::milliseconds next_;
};

}  // namespace ponder
