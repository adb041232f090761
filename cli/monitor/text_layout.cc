#include "cli/monitor/text_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

namespace ponder {
namespace {

constexpr char32_t kBroken = 0xFFFFFFFF;

// Takes the next character of UTF-8 text off its front; kBroken, and one byte, when it is none.
char32_t NextCharacter(std::string_view* text) {
  const auto first = static_cast<unsigned char>(text->front());
  const size_t size = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xE ? 3 : 4;
  if (first >= 0x80 && (first < 0xC2 || first > 0xF4 || text->size() < size)) {
    text->remove_prefix(1);
    return kBroken;
  }
  char32_t code = size == 1 ? first : first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>((*text)[i]);
    if (byte >> 6 != 0x2) {
      text->remove_prefix(1);
      return kBroken;
    }
    code = code << 6 | (byte & 0x3F);
  }
  text->remove_prefix(size);
  return code;
}

// Ranges that terminals draw two columns wide (Unicode's East Asian Width W and F, and emoji).
bool IsWide(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 9> kWide{{{0x1100, 0x115F},
                                                                {0x2E80, 0xA4CF},
                                                                {0xAC00, 0xD7A3},
                                                                {0xF900, 0xFAFF},
                                                                {0xFE30, 0xFE6F},
                                                                {0xFF00, 0xFF60},
                                                                {0xFFE0, 0xFFE6},
                                                                {0x1F300, 0x1FAFF},
                                                                {0x20000, 0x3FFFD}}};
  return std::any_of(kWide.begin(), kWide.end(), [&](const auto& range) {
    return code >= range.first && code <= range.second;
  });
}

bool IsControl(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

const char* CodeOf(TextTone tone) {
  switch (tone) {
    case TextTone::kPlain:
      return "";
    case TextTone::kBold:
      return "\033[1m";
    case TextTone::kDim:
      return "\033[2m";
    case TextTone::kGood:
      return "\033[32m";
    case TextTone::kWarn:
      return "\033[33m";
    case TextTone::kBad:
      return "\033[31m";
    case TextTone::kAccent:
      return "\033[36m";
  }
  return "";
}

// Means of `count` runs of neighbours, as equal in length as they can be.
std::vector<double> Condense(const std::vector<double>& values, size_t count) {
  if (values.size() <= count) return values;
  std::vector<double> means;
  for (size_t i = 0; i < count; ++i) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * values.size() / count);
    const auto end = values.begin() + static_cast<std::ptrdiff_t>((i + 1) * values.size() / count);
    means.push_back(std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin));
  }
  return means;
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += IsWide(NextCharacter(&text)) ? 2 : 1;
  return width;
}

std::string FitText(std::string_view text, size_t width) {
  std::string clean;
  size_t used = 0;
  size_t room_for_mark = 0;  // bytes of `clean` that leave room for the mark
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t code = NextCharacter(&text);
    const size_t columns = IsWide(code) ? 2 : 1;
    if (used + columns > width) {
      clean.resize(room_for_mark);
      return clean + std::string(std::min<size_t>(width, 2), '.');
    }
    if (code == kBroken || IsControl(code)) {
      clean += '?';
    } else {
      clean += before.substr(0, before.size() - text.size());
    }
    used += columns;
    if (used + 2 <= width) room_for_mark = clean.size();
  }
  return clean;
}

std::string PadRight(std::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string PadLeft(std::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::string Paint(const StyledLine& line, const TextStyle& style) {
  std::string painted;
  size_t left = style.width;
  for (const Span& span : line) {
    if (left == 0) break;
    const std::string text = FitText(span.text, left);
    left -= std::min(left, DisplayWidth(text));
    const bool colored = style.color && span.tone != TextTone::kPlain;
    painted += colored ? CodeOf(span.tone) + text + "\033[0m" : text;
  }
  if (!style.color) painted.erase(painted.find_last_not_of(' ') + 1);
  return painted;
}

std::string ProgressBar(double share, size_t width) {
  if (width < 3) return "";
  const size_t inside = width - 2;
  const auto filled =
      static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(inside));
  std::string bar = std::string(filled, '=') + std::string(inside - filled, ' ');
  if (filled > 0 && filled < inside) bar[filled - 1] = '>';
  return "[" + bar + "]";
}

std::string Sparkline(const std::vector<double>& values, size_t width, bool unicode) {
  if (values.size() < 2 || width == 0) return "";
  static constexpr std::array kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array kAscii{"_", ".", ",", "-", "~", "=", "^", "#"};
  const std::vector<double> points = Condense(values, width);
  const auto [low, high] = std::minmax_element(points.begin(), points.end());
  std::string curve;
  for (const double point : points) {
    const double share = *high > *low ? (point - *low) / (*high - *low) : 0.5;
    const auto level = std::min<size_t>(7, static_cast<size_t>(share * 8));
    curve += unicode ? kBlocks.at(level) : kAscii.at(level);
  }
  return curve;
}

std::string FormatBytes(double bytes) {
  if (bytes >= 9.95e8) return fmt::format("{:.1f} GB", bytes / 1e9);
  return bytes >= 9.995e5 ? fmt::format("{:.0f} MB", bytes / 1e6)
                          : fmt::format("{:.0f} kB", bytes / 1e3);
}

std::string FormatNumber(double value) {
  const double size = std::abs(value);
  if (size >= 1e7) return fmt::format("{:.1e}", value);
  if (size >= 1000) return fmt::format("{:.0f}", value);
  if (size >= 100) return fmt::format("{:.1f}", value);
  if (size >= 10) return fmt::format("{:.2f}", value);
  if (size >= 1e-3 || size == 0) return fmt::format("{:.3f}", value);
  return fmt::format("{:.1e}", value);
}

}  // namespace ponder
