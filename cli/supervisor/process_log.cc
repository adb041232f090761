#include "cli/supervisor/process_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/base/error.h"

namespace ponder {
namespace {

// All of `bytes`, or as much as a full disk or a closed terminal takes: output must not end a run.
void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;

// Milliseconds of "03:12:25.123" at the start of `line`, -1 when it starts otherwise.
int64_t TimeOf(std::string_view line) {
  constexpr std::string_view kForm = "dd:dd:dd.ddd";
  if (line.size() < kForm.size()) return -1;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == 'd' ? std::isdigit(static_cast<unsigned char>(line[i])) != 0
                                      : line[i] == kForm[i];
    if (!fits) return -1;
  }
  const auto number = [&](size_t begin, size_t count) {
    return std::stoll(std::string(line.substr(begin, count)));
  };
  return ((number(0, 2) * 60 + number(3, 2)) * 60 + number(6, 2)) * 1000 + number(9, 3);
}

bool IsErrorLine(std::string_view line, bool timed) {
  if (timed) return line.substr(12, 3) == " E ";
  for (const std::string_view mark : {": error: ", ": internal error: ", ": ends the job with "}) {
    if (line.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

UniqueFd OpenLog(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    throw Error(Condition::kIo, "open of log " + path + ": " + std::strerror(errno));
  }
  return fd;
}

OutputTee::OutputTee(int log_fd, int live_fd) : log_fd_(log_fd), live_fd_(live_fd) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(Condition::kIo, std::string("pipe for a child's output: ") + std::strerror(errno));
  }
  output_ = UniqueFd(ends[0]);
  input_ = UniqueFd(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);  // the reading end only
}

bool OutputTee::Pump() {
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t n = read(output_.get(), chunk.data(), chunk.size());
    if (n > 0) {
      const std::string_view bytes(chunk.data(), static_cast<size_t>(n));
      WriteAll(log_fd_, bytes);
      WriteAll(live_fd_, bytes);
      continue;
    }
    if (n == 0) return false;
    if (errno != EINTR) return errno == EAGAIN;
  }
}

std::vector<std::string> LastLines(std::string_view text, size_t count) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < count) {
    if (text.back() == '\n') text.remove_suffix(1);
    const size_t begin = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
    std::string_view line = text.substr(begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t redrawn = line.rfind('\r');
    lines.emplace_back(redrawn == std::string_view::npos ? line : line.substr(redrawn + 1));
    text = text.substr(0, begin);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::string FirstError(const std::vector<std::string>& logs, std::string_view since,
                       std::string_view now) {
  const int64_t begin = TimeOf(since);
  const auto after_begin = [&](int64_t time) { return (time - begin + kDayMs) % kDayMs; };
  const int64_t span = after_begin(TimeOf(now));
  std::string first;
  int64_t first_offset = span + 1;
  for (const std::string& log : logs) {
    int64_t offset = span;  // of the latest line with a time
    std::istringstream lines(log);
    std::string line;
    while (std::getline(lines, line)) {
      const int64_t time = TimeOf(line);
      if (time >= 0) offset = after_begin(time);
      if (offset < first_offset && IsErrorLine(line, time >= 0)) {
        first = line;
        first_offset = offset;
      }
    }
  }
  return first;
}

std::string ReadTail(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const auto size = static_cast<size_t>(file.tellg());
  std::string text(std::min(size, max_bytes), '\0');
  file.seekg(static_cast<std::streamoff>(size - text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

}  // namespace ponder
