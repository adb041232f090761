// How the starts of a run ended, as their logs tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"

namespace ponder {

struct AttemptFacts {
  int64_t number = 0;
  std::string end{};  // "finished", "error: ...", "a rank was killed by signal 9", ...
  std::vector<std::string> logs{};
};

// How the trainer ended, from the last lines of its log. `is_running`: somebody holds the run.
std::string EndOfAttempt(std::string_view log_tail, bool is_running);

// The attempts below `run_directory`, oldest first. `is_running` is about the newest.
std::vector<AttemptFacts> SurveyAttempts(FileSystem& files, const std::string& run_directory,
                                         bool is_running);

}  // namespace ponder
