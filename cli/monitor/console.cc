#include "cli/monitor/console.h"

#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "cli/monitor/log_text.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kShowInterval{250};
// Of a terminal that takes nothing; the logs have the rest.
constexpr size_t kMostWaiting = 1000;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool CanRedraw(int fd) {
  const std::string terminal = Variable("TERM");
  return isatty(fd) != 0 && !terminal.empty() && terminal != "dumb";
}

// POSIX: the first one that is set rules.
bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = Variable(name);
    if (value.empty()) continue;
    for (char& c : value) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace

bool WantsLiveView() {
  const std::string wanted = Variable("PONDER_PROGRESS");
  return CanRedraw(STDERR_FILENO) && (wanted.empty() || wanted == "bar");
}

TextStyle TextStyleOf(int fd) {
  const Screen screen(fd);
  return {.width = screen.width(),
          .height = screen.height(),
          .color = CanRedraw(fd) && Variable("NO_COLOR").empty(),
          .unicode = LocaleIsUtf8()};
}

Console::Console(bool live, int log_fd) : log_fd_(log_fd) {
  if (live) screen_ = std::make_unique<Screen>(STDERR_FILENO);
}

Console::~Console() {
  if (!output_open_) Flush({});
}

void Console::Line(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (log_fd_ >= 0) WriteAll(log_fd_, line + "\n");
    if (!is_live()) {
      WriteAll(STDERR_FILENO, line + "\n");
      continue;
    }
    waiting_.push_back(line);
    if (waiting_.size() > kMostWaiting) waiting_.pop_front();
  }
}

void Console::Output(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!is_live() || isatty(STDOUT_FILENO) == 0) return WriteAll(STDOUT_FILENO, bytes);
  // Both go to one terminal, so the picture must make room.
  if (!output_open_) Flush({});
  WriteAll(STDOUT_FILENO, bytes);
  output_open_ = !bytes.ends_with('\n');
}

void Console::Show(const std::function<RunView()>& view) {
  if (!is_live() || output_open_ || steady_clock::now() < next_show_) return;
  if (!screen_->IsReady()) return;
  next_show_ = steady_clock::now() + kShowInterval;
  TextStyle style = TextStyleOf(STDERR_FILENO);
  // The last column stays free, since a full row would wrap; the last row is the cursor's.
  style.width = style.width > 1 ? style.width - 1 : 1;
  style.height = style.height > 1 ? style.height - 1 : 1;
  Flush(RenderRun(view(), style));
}

void Console::Flush(const std::vector<std::string>& picture) {
  if (!is_live()) return;
  screen_->Draw({waiting_.begin(), waiting_.end()}, picture);
  waiting_.clear();
}

}  // namespace ponder
