#include "cli/inspect/attempt_facts.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr uint64_t kTailBytes = 64u << 10;

std::optional<int64_t> NumberOf(const std::string& name) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number < 0) return std::nullopt;
  return number;
}

// From `mark` to the end of its line, the last time it occurs; empty when it does not.
std::string LastAfter(std::string_view text, std::string_view mark) {
  const size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

std::string ReadTail(FileSystem& files, const std::string& path) {
  try {
    const uint64_t size = files.FileSize(path);
    return files.ReadRange(path, size - std::min(size, kTailBytes), kTailBytes);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::string EndOfAttempt(std::string_view log_tail, bool is_running) {
  // The last thing that a trainer says decides; an echo of the launcher comes after it.
  const std::string error = LastAfter(log_tail, "trainer: error: ");
  if (!error.empty()) return "error: " + error;
  const std::string internal = LastAfter(log_tail, "trainer: internal error: ");
  if (!internal.empty()) return "internal error: " + internal;
  if (const std::string why = LastAfter(log_tail, ": ends the job with "); !why.empty()) {
    return "a rank ended the job with " + why;
  }
  if (const std::string signal = LastAfter(log_tail, "exited on signal "); !signal.empty()) {
    return "a rank was killed by signal " + signal;
  }
  if (log_tail.find("stopped as asked") != std::string_view::npos) return "stopped as asked";
  if (log_tail.find("Run folder: ") != std::string_view::npos) return "finished";
  if (is_running) return "running";
  return "ended without a word (killed?)";
}

std::vector<AttemptFacts> SurveyAttempts(FileSystem& files, const std::string& run_directory,
                                         bool is_running) {
  const std::string folder = run_directory + "/attempts";
  std::vector<AttemptFacts> attempts;
  for (const std::string& name : files.List(folder)) {
    if (const auto number = NumberOf(name)) attempts.push_back({.number = *number});
  }
  std::sort(attempts.begin(), attempts.end(),
            [](const AttemptFacts& a, const AttemptFacts& b) { return a.number < b.number; });
  for (AttemptFacts& attempt : attempts) {
    const std::string path = folder + "/" + std::to_string(attempt.number);
    attempt.logs = files.List(path);
    attempt.end = EndOfAttempt(ReadTail(files, path + "/trainer.log"),
                               is_running && &attempt == &attempts.back());
  }
  return attempts;
}

}  // namespace ponder
