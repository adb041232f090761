#include "core/base/failpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/mutex.h"

namespace ponder {
namespace {

// Another thread hears the signal; what runs on here would race with it.
constexpr std::chrono::milliseconds kTermPause{500};

enum class Action { kKill, kTerm, kError, kDelay, kNan };

struct Failpoint {
  Action action = Action::kError;
  uint64_t delay_ms = 0;
  uint64_t hit = 0;    // 0: every hit
  std::string marker;  // empty: may fire again in a restarted process
};

[[noreturn]] void Refuse(std::string_view part, const std::string& expected) {
  throw Error(Condition::kUsage, "reading PONDER_FAILPOINTS: expected " + expected + ", got '" +
                                     std::string(part) + "'");
}

uint64_t ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Refuse(text, "a number");
  return value;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

// One entry of the list. Nothing when it is for another process.
std::optional<std::pair<std::string, Failpoint>> ParseEntry(std::string_view entry,
                                                            std::string_view role, int rank) {
  const std::vector<std::string_view> parts = Split(entry, ',');
  const size_t equals = parts[0].find('=');
  if (equals == std::string_view::npos || equals == 0) Refuse(entry, "NAME=ACTION");
  Failpoint failpoint;
  std::string_view action = parts[0].substr(equals + 1);
  if (const size_t at = action.find('@'); at != std::string_view::npos) {
    failpoint.hit = ParseNumber(action.substr(at + 1));
    if (failpoint.hit == 0) Refuse(action, "a hit counted from 1");
    action = action.substr(0, at);
  }
  if (action == "kill") {
    failpoint.action = Action::kKill;
  } else if (action == "term") {
    failpoint.action = Action::kTerm;
  } else if (action == "error") {
    failpoint.action = Action::kError;
  } else if (action == "nan") {
    failpoint.action = Action::kNan;
  } else if (action.starts_with("delay:")) {
    failpoint.action = Action::kDelay;
    failpoint.delay_ms = ParseNumber(action.substr(6));
  } else {
    Refuse(action, "kill, term, error, delay:MS or nan");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].starts_with("role=")) {
      if (parts[i].substr(5) != role) return std::nullopt;
    } else if (parts[i].starts_with("rank=")) {
      if (static_cast<int>(ParseNumber(parts[i].substr(5))) != rank) return std::nullopt;
    } else if (parts[i].starts_with("once=")) {
      failpoint.marker = std::string(parts[i].substr(5));
    } else {
      Refuse(parts[i], "role=, rank= or once=");
    }
  }
  return std::pair{std::string(parts[0].substr(0, equals)), failpoint};
}

// True for the one process, of all restarts, that creates the marker.
bool ClaimMarker(const std::string& marker) {
  const int fd = open(marker.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  close(fd);
  return true;
}

class Registry {
 public:
  void Configure(std::string_view list, std::string_view role, int rank) EXCLUDES(mutex_) {
    std::multimap<std::string, Failpoint, std::less<>> points;
    for (const std::string_view entry : Split(list, ';')) {
      if (entry.empty()) continue;
      if (auto parsed = ParseEntry(entry, role, rank)) points.insert(std::move(*parsed));
    }
    MutexLock lock(mutex_);
    points_ = std::move(points);
    hits_.clear();
  }

  // The failpoints that fire at this hit.
  std::vector<Failpoint> Hit(std::string_view name) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto [begin, end] = points_.equal_range(name);
    if (begin == end) return {};
    const uint64_t hit = ++hits_[std::string(name)];
    std::vector<Failpoint> firing;
    for (auto point = begin; point != end; ++point) {
      if (point->second.hit == 0 || point->second.hit == hit) firing.push_back(point->second);
    }
    return firing;
  }

 private:
  Mutex mutex_;
  std::multimap<std::string, Failpoint, std::less<>> points_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t, std::less<>> hits_ GUARDED_BY(mutex_);
};

// The one global of the project: failpoints stand in any function, so no object could carry them
// there. It is set once, by main, and says nothing about an experiment.
Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

}  // namespace

void ConfigureFailpoints(std::string_view role, int rank) {
  const char* list = std::getenv("PONDER_FAILPOINTS");
#ifndef PONDER_FAILPOINTS
  if (list != nullptr && *list != '\0') {
    throw Error(Condition::kUsage,
                "reading PONDER_FAILPOINTS: this build has no failpoints (configure with "
                "-DPONDER_FAILPOINTS=ON)");
  }
#endif
  TheRegistry().Configure(list == nullptr ? "" : list, role, rank);
}

bool HitFailpoint(std::string_view name) {
  bool poisoned = false;
  for (const Failpoint& point : TheRegistry().Hit(name)) {
    if (!point.marker.empty() && !ClaimMarker(point.marker)) continue;
    switch (point.action) {
      case Action::kKill:
        kill(getpid(), SIGKILL);
        break;
      case Action::kTerm:
        kill(getpid(), SIGTERM);
        std::this_thread::sleep_for(kTermPause);
        break;
      case Action::kError:
        throw Error(Condition::kIo, "failpoint " + std::string(name) + " fired");
      case Action::kDelay:
        std::this_thread::sleep_for(std::chrono::milliseconds(point.delay_ms));
        break;
      case Action::kNan:
        poisoned = true;
        break;
    }
  }
  return poisoned;
}

}  // namespace ponder
