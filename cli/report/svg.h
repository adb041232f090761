// Text of SVG and HTML.
#pragma once

#include <string>
#include <string_view>

namespace ponder::report {

// `text` as character data or the value of a quoted attribute, in SVG and HTML alike: markup is
// escaped; control characters and what is no UTF-8 become U+FFFD, and marks that turn the direction
// of writing become their names: "U+202E".
std::string Escaped(std::string_view text);

// A coordinate with one decimal, which is finer than a screen; "0" when it is not finite.
std::string Coordinate(double value);

// What goes into a file name or an id: letters, digits, '-' and '_'; never empty.
std::string Identifier(std::string_view text);

// A finished drawing. Its `body` uses the classes of FigureStyle only, so that it can stand in the
// page or alone.
struct Drawing {
  std::string id;           // unique on a page, and the name of the SVG file
  std::string title;        // plain text
  std::string description;  // plain text: what is drawn, for those who cannot see it
  double width = 0;
  double height = 0;
  std::string body;
};

// For use in a page that holds FigureStyle once.
std::string InlineSvg(const Drawing& drawing);
// A file of its own, with style and background.
std::string StandaloneSvg(const Drawing& drawing);

// Style sheet of all drawings, light and dark. Six line colours (s0 ... s5, f0 ... for areas, of
// Okabe and Ito, "Color Universal Design", told apart by colour-blind readers) and, for more lines
// than that, dashes (d1, d2).
std::string_view FigureStyle();
inline constexpr int kNumColours = 6;
inline constexpr int kNumHeatLevels = 10;  // h1 ... h10

// Horizontal anchors of a text.
enum class Anchor { kStart, kMiddle, kEnd };
// <text>; `style` is a list of classes.
std::string Text(double x, double y, std::string_view text, Anchor anchor = Anchor::kStart,
                 std::string_view style = {});
std::string Line(double x1, double y1, double x2, double y2, std::string_view style);
std::string Rectangle(double x, double y, double width, double height, std::string_view style);

}  // namespace ponder::report
