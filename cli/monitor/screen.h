// A block of lines at the bottom of a terminal that is redrawn in place, while other lines scroll
// above it. No terminal mode is changed, so there is nothing to restore, however the program ends.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ponder {

// What is on the terminal: the block, and the width it was drawn at. The cursor is in the first
// column of the row after it.
struct DrawnBlock {
  std::vector<std::string> lines;
  size_t width = 0;
};

// The bytes that turn `*drawn` into `above` and, below it, `lines` at `width` columns; `*drawn`
// follows. Lines have no end and are not wider than the width, colours apart. Only what changed is
// sent; nothing when nothing did. After a change of the width the rows are counted as a terminal
// wraps them. Pure.
std::string Redraw(DrawnBlock* drawn, const std::vector<std::string>& above,
                   const std::vector<std::string>& lines, size_t width);

// Owns the block on the terminal behind `fd`, which is borrowed. Not thread safe.
class Screen {
 public:
  explicit Screen(int fd) : fd_(fd) {}

  // Columns and rows at this moment; 80 x 24 where the terminal does not say.
  size_t width() const;
  size_t height() const;

  // False when the terminal takes no bytes now (a slow line, or Ctrl-S): then nothing is drawn.
  bool IsReady() const;
  // Draws; see Redraw.
  void Draw(const std::vector<std::string>& above, const std::vector<std::string>& lines);

 private:
  const int fd_;
  DrawnBlock drawn_;
};

}  // namespace ponder
