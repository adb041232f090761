#include "cli/report/svg.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace ponder::report {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

// Bytes of the UTF-8 sequence that starts `text`; 0 when it is none (RFC 3629: no overlong forms,
// no surrogates, nothing beyond U+10FFFF).
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto continues = [&byte](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

std::string_view EscapedByte(char byte) {
  switch (byte) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

bool IsControl(char byte) {
  const auto code = static_cast<uint8_t>(byte);
  return (code < 0x20 && byte != '\n' && byte != '\t') || code == 0x7F;
}

// The name of a mark that turns the direction of writing, which would show other text than the
// bytes say; empty for any other character. `text` is one character.
std::string_view NameOfTurn(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTurns{{
      {"\u061C", "U+061C"},
      {"\u200E", "U+200E"},
      {"\u200F", "U+200F"},
      {"\u202A", "U+202A"},
      {"\u202B", "U+202B"},
      {"\u202C", "U+202C"},
      {"\u202D", "U+202D"},
      {"\u202E", "U+202E"},
      {"\u2066", "U+2066"},
      {"\u2067", "U+2067"},
      {"\u2068", "U+2068"},
      {"\u2069", "U+2069"},
  }};
  for (const auto& [turn, name] : kTurns) {
    if (text == turn) return name;
  }
  return {};
}

std::string_view AnchorClass(Anchor anchor) {
  switch (anchor) {
    case Anchor::kStart:
      return "";
    case Anchor::kMiddle:
      return "am";
    case Anchor::kEnd:
      return "ae";
  }
  return "";
}

// Plain rules, no custom properties: other programs than browsers read the files, too.
constexpr std::string_view kStyle = R"(
.fig text{font:10px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#555}
.fig .am{text-anchor:middle}.fig .ae{text-anchor:end}
.fig .ti{font-size:12px;font-weight:600;fill:#111}.fig .st{fill:#777;font-style:italic}
.fig .va{fill:#111}
.fig .bg{fill:#fff}.fig .pa{fill:#f4f4f1}.fig .pb{fill:#fafaf8}
.fig .gr{stroke:#dcdcd6;stroke-width:.6}.fig .ax{stroke:#999;stroke-width:.8}
.fig .ln{fill:none;stroke-width:1.3;stroke-linejoin:round}.fig .en{stroke:none;opacity:.2}
.fig .eb{stroke-width:1.1}.fig .pt{stroke:none}.fig .cross{stroke:#888;stroke-width:.7}
.fig .d1{stroke-dasharray:5 2}.fig .d2{stroke-dasharray:1.5 2}
.fig .ar{stroke:#fff;stroke-width:.2;opacity:.85}
.fig .s0{stroke:#0072b2}.fig .s1{stroke:#d55e00}.fig .s2{stroke:#009e73}
.fig .s3{stroke:#b8568f}.fig .s4{stroke:#b27a00}.fig .s5{stroke:#4a4a4a}
.fig .f0{fill:#0072b2}.fig .f1{fill:#d55e00}.fig .f2{fill:#009e73}
.fig .f3{fill:#cc79a7}.fig .f4{fill:#e69f00}.fig .f5{fill:#8c8c8c}
.fig .h1{fill:#dcebf7}.fig .h2{fill:#c6dff1}.fig .h3{fill:#a8cfe8}.fig .h4{fill:#84bbdd}
.fig .h5{fill:#60a6d1}.fig .h6{fill:#3f8fc4}.fig .h7{fill:#2576b3}.fig .h8{fill:#135e9b}
.fig .h9{fill:#08467c}.fig .h10{fill:#062f57}
@media (prefers-color-scheme:dark){
.fig text{fill:#aaa}.fig .ti,.fig .va{fill:#eee}.fig .st{fill:#999}
.fig .bg{fill:#16181b}.fig .pa{fill:#1f2226}.fig .pb{fill:#1b1d21}
.fig .gr{stroke:#34383d}.fig .ax{stroke:#777}.fig .en{opacity:.28}.fig .ar{stroke:#16181b}
.fig .s0{stroke:#5ab4f0}.fig .s1{stroke:#f58a4b}.fig .s2{stroke:#35c79a}
.fig .s3{stroke:#e39bc6}.fig .s4{stroke:#f2b84b}.fig .s5{stroke:#c4c4c4}
.fig .f0{fill:#5ab4f0}.fig .f1{fill:#f58a4b}.fig .f2{fill:#35c79a}
.fig .f3{fill:#e39bc6}.fig .f4{fill:#f2b84b}.fig .f5{fill:#8c8c8c}
.fig .h1{fill:#13293d}.fig .h2{fill:#153753}.fig .h3{fill:#174669}.fig .h4{fill:#1b5781}
.fig .h5{fill:#226a9b}.fig .h6{fill:#2f80b5}.fig .h7{fill:#4a98ca}.fig .h8{fill:#72b3dc}
.fig .h9{fill:#a3d0ec}.fig .h10{fill:#dcf0fb}
}
)";

std::string Open(const Drawing& drawing, std::string_view more) {
  return fmt::format(
      R"(<svg class="fig" viewBox="0 0 {0} {1}" role="img" aria-labelledby="{2}-t {2}-d"{3}>)"
      R"(<title id="{2}-t">{4}</title><desc id="{2}-d">{5}</desc>)",
      Coordinate(drawing.width), Coordinate(drawing.height), Escaped(drawing.id), more,
      Escaped(drawing.title), Escaped(drawing.description));
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0 || IsControl(text.front())) {
      escaped += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view entity =
        length == 1 ? EscapedByte(text.front()) : NameOfTurn(text.substr(0, length));
    escaped += entity.empty() ? text.substr(0, length) : entity;
    text.remove_prefix(length);
  }
  return escaped;
}

std::string Coordinate(double value) {
  constexpr double kLargest = 1e6;
  if (!std::isfinite(value) || std::fabs(value) > kLargest) return "0";
  const auto tenths = static_cast<int64_t>(std::lround(value * 10));
  const int64_t magnitude = tenths < 0 ? -tenths : tenths;
  std::string text = (tenths < 0 ? "-" : "") + std::to_string(magnitude / 10);
  if (magnitude % 10 != 0) text += "." + std::to_string(magnitude % 10);
  return text;
}

std::string Identifier(std::string_view text) {
  constexpr size_t kMaxLength = 80;
  std::string name;
  for (const char c : text.substr(0, kMaxLength)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    name += kept ? c : '_';
  }
  return name.empty() ? "_" : name;
}

std::string InlineSvg(const Drawing& drawing) {
  return Open(drawing, "") + drawing.body + "</svg>";
}

std::string StandaloneSvg(const Drawing& drawing) {
  const std::string size =
      fmt::format(R"( xmlns="http://www.w3.org/2000/svg" width="{}" height="{}")",
                  Coordinate(drawing.width), Coordinate(drawing.height));
  return R"(<?xml version="1.0" encoding="UTF-8"?>)"
         "\n" +
         Open(drawing, size) + "<style>" + std::string(FigureStyle()) + "</style>" +
         Rectangle(0, 0, drawing.width, drawing.height, "bg") + drawing.body + "</svg>\n";
}

std::string_view FigureStyle() { return kStyle; }

std::string Text(double x, double y, std::string_view text, Anchor anchor, std::string_view style) {
  std::string classes(AnchorClass(anchor));
  if (!style.empty()) classes += (classes.empty() ? "" : " ") + std::string(style);
  const std::string attribute = classes.empty() ? "" : " class=\"" + classes + "\"";
  return "<text x=\"" + Coordinate(x) + "\" y=\"" + Coordinate(y) + "\"" + attribute + ">" +
         Escaped(text) + "</text>";
}

std::string Line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format(R"(<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>)", Coordinate(x1),
                     Coordinate(y1), Coordinate(x2), Coordinate(y2), style);
}

std::string Rectangle(double x, double y, double width, double height, std::string_view style) {
  return fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>)", Coordinate(x),
                     Coordinate(y), Coordinate(width), Coordinate(height), style);
}

}  // namespace ponder::report
