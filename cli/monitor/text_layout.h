// Text for a terminal of a given width. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// How a terminal wants its text.
struct TextStyle {
  size_t width = 80;   // columns
  size_t height = 24;  // rows
  bool color = false;
  bool unicode = false;  // block characters and ticks; ASCII otherwise
};

enum class TextTone { kPlain, kBold, kDim, kGood, kWarn, kBad, kAccent };

struct Span {
  std::string text;
  TextTone tone = TextTone::kPlain;
};

using StyledLine = std::vector<Span>;

// Columns that UTF-8 text takes: East Asian wide characters and emoji two, all others one.
size_t DisplayWidth(std::string_view text);

// `text` on one line: control characters and broken UTF-8 become '?', and what is longer than
// `width` columns ends with "..".
std::string FitText(std::string_view text, size_t width);

// `text` with spaces up to `width` columns, to its right or, for numbers, to its left.
std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);

// One line without its end, cut to the style's width, with colours if it has them.
std::string Paint(const StyledLine& line, const TextStyle& style);

// A bar of `width` columns, the share of it filled. share in [0, 1].
std::string ProgressBar(double share, size_t width);

// `values` as a curve of at most `width` columns, each the mean of equally many neighbours, lowest
// to highest. Non-finite values must have been taken out. Empty for fewer than two values.
std::string Sparkline(const std::vector<double>& values, size_t width, bool unicode);

// "812 kB", "412 MB", "3.1 GB".
std::string FormatBytes(double bytes);

// A number in at most 8 columns: "0.965", "35609", "-1.2e-06".
std::string FormatNumber(double value);

}  // namespace ponder
