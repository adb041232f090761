#include "cli/console_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/usage/usage.h"

namespace ponder {
namespace {

constexpr size_t kMinColumns = 40;
constexpr size_t kMaxColumns = 120;

struct Character {
  uint32_t code = 0;
  size_t size = 0;  // bytes; 0: not valid UTF-8
};

Character FirstCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || size > text.size()) return {};
  uint32_t code = byte(0) & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool valid =
      code >= kSmallest.at(size) && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? Character{code, size} : Character{};
}

// Controls of either set, and marks without width that change how the rest is shown.
bool IsHarmful(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
         code == 0xfeff || (code >= 0xe0000 && code <= 0xe0fff);
}

}  // namespace

ConsoleStyle StyleOfStdout() {
  ConsoleStyle style;
  if (isatty(STDOUT_FILENO) == 0) return style;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  style.colour = (no_colour == nullptr || *no_colour == '\0') &&
                 (terminal == nullptr || std::string_view(terminal) != "dumb");
  style.columns = TerminalColumns(kMinColumns, kMaxColumns);
  return style;
}

std::string Paint(std::string_view text, Tone tone, const ConsoleStyle& style) {
  if (!style.colour || tone == Tone::kPlain) return std::string(text);
  const char* code = "";
  switch (tone) {
    case Tone::kTitle:
      code = "1";
      break;
    case Tone::kGood:
      code = "32";
      break;
    case Tone::kBad:
      code = "1;31";
      break;
    default:
      code = "2";
      break;
  }
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

std::string Printable(std::string_view text, size_t max_bytes) {
  std::string shown;
  const std::string_view all = text;
  while (!text.empty()) {
    const size_t done = all.size() - text.size();
    const Character character = FirstCharacter(text);
    const size_t size = std::max<size_t>(character.size, 1);
    if (done + size > max_bytes) return shown + "...";
    const std::string_view bytes = text.substr(0, size);
    if (bytes == "\\") {
      shown += "\\\\";
    } else if (character.size == 0 || IsHarmful(character.code)) {
      for (const char byte : bytes) {
        shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
    } else {
      shown += bytes;
    }
    text.remove_prefix(size);
  }
  return shown;
}

std::string Wrap(std::string_view text, size_t first_column, size_t indent, size_t columns) {
  std::string wrapped;
  size_t room = columns > first_column ? columns - first_column : 1;
  while (text.size() > room) {
    size_t end = text.rfind(' ', room);
    if (end == std::string_view::npos || end == 0) {
      const size_t slash = text.rfind('/', room - 1);
      end = slash == std::string_view::npos || slash == 0 ? room : slash + 1;
      while (end > 1 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    }
    wrapped += text.substr(0, end);
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    wrapped += "\n" + std::string(indent, ' ');
    room = columns > indent ? columns - indent : 1;
  }
  return wrapped + std::string(text) + "\n";
}

std::string BytesText(uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array<const char*, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  // 999.95 would be shown as 1000.0.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string CountText(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, ",");
  return digits;
}

std::string Plural(uint64_t count, std::string_view noun) {
  return CountText(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace ponder
