#include "cli/monitor/first_error.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <sstream>
#include <tuple>

#include "cli/monitor/log_text.h"

namespace ponder {
namespace {

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr size_t kTimeSize = 12;  // "03:12:25.123"
constexpr std::string_view kEndsTheJob = ": ends the job with exit code ";

// What a process says when the trouble is another process's end or silence.
constexpr std::array kEchoes = {
    std::string_view("unavailable"),
    std::string_view("Connection refused"),
    std::string_view("connection refused"),
    std::string_view("Connection reset"),
    std::string_view("Socket closed"),
    std::string_view("no answer"),
    std::string_view("heartbeat failed"),
    std::string_view("failed to connect"),
    std::string_view("not started, since an operation before it failed"),
};
// Collectives of trainer ranks: their errors are echoes of the rank that did not take part.
constexpr std::array kCollectives = {
    std::string_view(": Barrier: "),        std::string_view(": Broadcast of "),
    std::string_view(": PatientBroadcast"), std::string_view(": AllReduce"),
    std::string_view(": ReduceScatter"),    std::string_view(": AllGather"),
};

bool HasAny(std::string_view line, const auto& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return line.find(word) != std::string_view::npos;
  });
}

// Milliseconds of "03:12:25.123" at the start of `line`, -1 when it starts otherwise.
int64_t TimeOf(std::string_view line) {
  if (!HasTimeOfDay(line)) return -1;
  const auto number = [&](size_t begin, size_t count) {
    return std::stoll(std::string(line.substr(begin, count)));
  };
  return ((number(0, 2) * 60 + number(3, 2)) * 60 + number(6, 2)) * 1000 + number(9, 3);
}

// "1" at the start of "1 of 2: ...".
std::string Digits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && std::isdigit(static_cast<unsigned char>(text[count])) != 0) ++count;
  return std::string(text.substr(0, count));
}

std::string_view After(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
}

// mpirun: "mpirun noticed that process rank 1 with PID 7 on node x exited on signal 9 (Killed)."
ErrorCause CauseOfDeath(std::string_view line) {
  std::string_view signal = After(line, "exited on ");
  if (signal.ends_with('.')) signal.remove_suffix(1);
  return {"rank" + Digits(After(line, "process rank ")), "killed by " + std::string(signal)};
}

ErrorCause CauseOf(std::string_view line, ErrorRank rank, const std::string& process) {
  if (rank == ErrorRank::kDeath) return CauseOfDeath(line);
  if (HasTimeOfDay(line)) {
    const std::string_view rest = line.substr(kTimeSize + 3);  // after " E "
    const std::string_view text = After(rest, "  ");
    const bool is_rank = rest.starts_with("trainer/");
    return {is_rank ? "rank" + Digits(After(rest, "/")) : process,
            std::string(text.empty() ? rest : text)};
  }
  if (line.starts_with("rank ")) {
    // The exit code comes before the reason.
    return {"rank" + Digits(line.substr(5)), std::string(After(After(line, kEndsTheJob), ": "))};
  }
  const std::string_view text = After(line, "error: ");
  return {process, std::string(text.empty() ? line : text)};
}

}  // namespace

bool ContinuesMessage(std::string_view line) {
  return line.starts_with(' ') || line.starts_with('(');
}

ErrorRank RankOfLine(std::string_view line) {
  if (line.find("noticed that process rank ") != std::string_view::npos &&
      line.find(" exited on signal ") != std::string_view::npos) {
    return ErrorRank::kDeath;
  }
  const bool is_error = HasTimeOfDay(line)
                            ? line.substr(kTimeSize, 3) == " E "
                            : line.find(": error: ") != std::string_view::npos ||
                                  line.find(": internal error: ") != std::string_view::npos ||
                                  line.find(kEndsTheJob) != std::string_view::npos;
  if (!is_error) return ErrorRank::kNoError;
  return HasAny(line, kEchoes) || HasAny(line, kCollectives) ? ErrorRank::kEcho : ErrorRank::kOwn;
}

std::optional<ErrorCause> FirstError(const std::vector<ProcessLog>& logs, std::string_view since,
                                     std::string_view now) {
  const int64_t begin = TimeOf(since);
  const auto after_begin = [&](int64_t time) { return (time - begin + kDayMs) % kDayMs; };
  const int64_t span = after_begin(TimeOf(now));
  std::optional<ErrorCause> first;
  std::tuple<ErrorRank, int64_t> best{ErrorRank::kNoError, 0};
  for (const ProcessLog& log : logs) {
    int64_t offset = span;  // of the latest line with a time
    bool taken = false;     // the line before this one is the best so far
    std::istringstream lines(log.text);
    for (std::string line; std::getline(lines, line);) {
      if (taken && ContinuesMessage(line)) {
        first->text += "\n" + line;
        continue;
      }
      const int64_t time = TimeOf(line);
      if (time >= 0) offset = after_begin(time);
      const ErrorRank rank = RankOfLine(line);
      taken = rank != ErrorRank::kNoError && offset <= span && std::tuple(rank, offset) < best;
      if (!taken) continue;
      best = {rank, offset};
      first = CauseOf(line, rank, log.process);
    }
  }
  return first;
}

}  // namespace ponder
