// Which lines of the trainer's output a person sees while the run goes on.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Cuts output into lines, leaves out the launcher's banners (the log has them), and holds error
// lines back for a while: when the trainer ends within it, the first error is told once, with its
// cause, and not among its echoes. Not thread safe.
class LineFilter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `hold`: how long an error line waits for the trainer's end.
  explicit LineFilter(std::chrono::milliseconds hold) : hold_(hold) {}

  // Takes what came at `now` and returns the lines to show.
  std::vector<std::string> Feed(std::string_view bytes, Time now);
  // Error lines that waited long enough: the trainer survived them.
  std::vector<std::string> Expired(Time now);
  // The trainer ended: what was held is dropped.
  void Drop();

 private:
  void Take(std::string_view line, Time now, std::vector<std::string>* shown);

  const std::chrono::milliseconds hold_;
  std::string open_;         // a line without its end
  size_t banner_lines_ = 0;  // since the frame that opened a banner; 0 outside
  bool after_held_ = false;  // the line before was held: its continuation is, too
  std::vector<std::string> held_;
  Time held_since_;
};

}  // namespace ponder
