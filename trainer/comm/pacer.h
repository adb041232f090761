// How a rank waits between two looks: politely at first, asleep later.
#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>

namespace ponder {

struct WaitLimits {
  std::chrono::milliseconds timeout;
  std::chrono::microseconds longest_sleep{1000};
};

// One wait. Yields the core for the first 50 us (longer than a message between two ranks on one
// machine takes), then sleeps, 20 us at first and half as long again each time up to the longest.
class Pacer {
 public:
  explicit Pacer(const WaitLimits& limits) : limits_(limits) {}

  // Pauses once. Returns the empty string, or "no answer for 600.0 s (a peer died or hangs)" when
  // the timeout has passed.
  std::string Pause() {
    const auto waited = std::chrono::steady_clock::now() - start_;
    if (waited > limits_.timeout) {
      std::ostringstream text;
      text.precision(1);
      text << "no answer for " << std::fixed
           << std::chrono::duration<double>(limits_.timeout).count() << " s (a peer died or hangs)";
      return text.str();
    }
    if (waited < std::chrono::microseconds(50)) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(sleep_);
      sleep_ = std::min(sleep_ * 3 / 2, limits_.longest_sleep);
    }
    return "";
  }

 private:
  const WaitLimits limits_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::microseconds sleep_{20};
};

}  // namespace ponder
