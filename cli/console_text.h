// Text for a person's terminal: its width, its colours, and nothing in it that the terminal would
// obey.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ponder {

struct ConsoleStyle {
  size_t columns = 80;
  bool colour = false;
};

// Of this process's stdout: colour on a terminal unless NO_COLOR is set or TERM is "dumb"; the
// terminal's width between 40 and 120 columns, 80 where there is no terminal.
ConsoleStyle StyleOfStdout();

enum class Tone { kPlain, kTitle, kGood, kBad, kQuiet };

// `text` in the tone's colour, or as it is.
std::string Paint(std::string_view text, Tone tone, const ConsoleStyle& style);

// Text from outside, made harmless: control characters, invalid UTF-8 and marks that turn the
// direction of writing appear as \xNN, a backslash as two. At most `max_bytes` of it, then "...".
std::string Printable(std::string_view text, size_t max_bytes = 400);

// `text` in lines of at most `columns`, broken at spaces where there are any, in a word after a
// slash where it has one, each after the first with `indent` spaces; `first_column` columns of the
// first line are taken. Ends with a line feed.
std::string Wrap(std::string_view text, size_t first_column, size_t indent, size_t columns);

// "458.8 kB": powers of 1000, one decimal above 1000 bytes.
std::string BytesText(uint64_t bytes);

// "114,688".
std::string CountText(uint64_t count);

// "1 file", "2 files".
std::string Plural(uint64_t count, std::string_view noun);

}  // namespace ponder
