// What `ponder up` shows: plain lines, or on a terminal a live picture of the run with the lines
// scrolling above it.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/monitor/render_run.h"
#include "cli/monitor/screen.h"
#include "cli/monitor/text_layout.h"

namespace ponder {

// True when stderr is a terminal that can redraw (TERM is set and not "dumb") and PONDER_PROGRESS
// does not ask for plain lines.
bool WantsLiveView();

// Colours unless NO_COLOR is set and not empty or `fd` is no terminal that has them; block
// characters where the locale's variables name UTF-8; width and height of the terminal.
TextStyle TextStyleOf(int fd);

// Writes to stderr, and output of the run to stdout. Main thread only.
class Console {
 public:
  // `log_fd`: gets every line too, without colours; -1 for none; borrowed.
  Console(bool live, int log_fd);
  // Erases the picture; the lines stay.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool is_live() const { return screen_ != nullptr; }
  // One line, or several separated by newlines.
  void Line(std::string_view text);
  // What the trainer wrote to stdout, unchanged.
  void Output(std::string_view bytes);
  // Shows the picture that `view` makes, at most four times a second and only when the terminal
  // takes it; `view` is called when one is due. Does nothing without a live view.
  void Show(const std::function<RunView()>& view);

 private:
  void Flush(const std::vector<std::string>& picture);

  const int log_fd_;
  std::unique_ptr<Screen> screen_;   // null: plain lines
  std::deque<std::string> waiting_;  // lines that are not on the screen yet
  bool output_open_ = false;         // stdout stands in the middle of a line
  std::chrono::steady_clock::time_point next_show_{};
};

}  // namespace ponder
