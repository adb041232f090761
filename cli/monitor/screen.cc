#include "cli/monitor/screen.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/monitor/text_layout.h"

namespace ponder {
namespace {

constexpr const char* kClearToEndOfLine = "\033[K";
constexpr const char* kClearToEndOfScreen = "\033[J";
// Around all that is drawn at once, so that the cursor is never hidden for longer.
constexpr const char* kHideCursor = "\033[?25l";
constexpr const char* kShowCursor = "\033[?25h";

// Without the colours.
size_t VisibleWidth(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033') {
      i = std::min(line.find('m', i), line.size() - 1);
    } else {
      text += line[i];
    }
  }
  return DisplayWidth(text);
}

// Rows that a block takes on a terminal of `width` columns.
size_t RowsOf(const DrawnBlock& drawn, size_t width) {
  size_t rows = 0;
  for (const std::string& line : drawn.lines) {
    rows += std::max<size_t>(1, (VisibleWidth(line) + width - 1) / width);
  }
  return rows;
}

std::string Up(size_t rows) { return rows > 0 ? fmt::format("\033[{}A", rows) : ""; }
std::string Down(size_t rows) { return rows > 0 ? fmt::format("\033[{}B", rows) : ""; }

winsize SizeOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

}  // namespace

std::string Redraw(DrawnBlock* drawn, const std::vector<std::string>& above,
                   const std::vector<std::string>& lines, size_t width) {
  const size_t before = drawn->lines.size();
  std::string bytes;
  const bool in_place = above.empty() && drawn->width == width && lines.size() == before;
  if (in_place) {
    for (size_t i = 0; i < before; ++i) {
      if (lines[i] == drawn->lines[i]) continue;
      bytes += Up(before - i) + "\r" + lines[i] + kClearToEndOfLine + "\r" + Down(before - i);
    }
  } else {
    bytes = Up(RowsOf(*drawn, width)) + "\r" + kClearToEndOfScreen;
    for (const auto* part : {&above, &lines}) {
      for (const std::string& line : *part) bytes += line + "\r\n";
    }
  }
  *drawn = {lines, width};
  return bytes.empty() ? "" : kHideCursor + bytes + kShowCursor;
}

size_t Screen::width() const { return SizeOf(fd_).ws_col; }
size_t Screen::height() const { return SizeOf(fd_).ws_row; }

bool Screen::IsReady() const {
  pollfd ready{fd_, POLLOUT, 0};
  return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

void Screen::Draw(const std::vector<std::string>& above, const std::vector<std::string>& lines) {
  const std::string bytes = Redraw(&drawn_, above, lines, width());
  for (size_t begin = 0; begin < bytes.size();) {
    const ssize_t count = write(fd_, bytes.data() + begin, bytes.size() - begin);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // a terminal that went away must not end a run
    begin += static_cast<size_t>(count);
  }
}

}  // namespace ponder
