#include "cli/monitor/log_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <fstream>

namespace ponder {

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

std::string ReadTail(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const auto size = static_cast<size_t>(file.tellg());
  std::string text(std::min(size, max_bytes), '\0');
  file.seekg(static_cast<std::streamoff>(size - text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::string TimeOfDay() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     now.tv_nsec / 1'000'000);
}

std::string LogLine(char level, std::string_view who, std::string_view text) {
  return fmt::format("{} {} {}  {}", TimeOfDay(), level, who, text);
}

bool HasTimeOfDay(std::string_view line) {
  constexpr std::string_view kForm = "dd:dd:dd.ddd";
  if (line.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == 'd' ? std::isdigit(static_cast<unsigned char>(line[i])) != 0
                                      : line[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace ponder
