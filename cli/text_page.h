// A page of plain text that fits a terminal: titles, lines, tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console_text.h"

namespace ponder {

class TextPage {
 public:
  explicit TextPage(const ConsoleStyle& style) : style_(style) {}

  void Title(std::string_view text);
  // Two spaces in, wrapped to the width. `text` may hold anything: it is made printable.
  void Line(std::string_view text, Tone tone = Tone::kPlain);
  // Starts with `label` in a column of its own, `width` wide.
  void Item(std::string_view label, std::string_view text, size_t width, Tone tone = Tone::kPlain);
  // Rows of equal length under `header`; columns are as wide as their widest cell, the last one
  // wraps; where the page is too narrow for them, a row is a list with commas. Columns whose header
  // begins with '>' are aligned to the right. A row whose tone is bad is painted.
  struct Row {
    std::vector<std::string> cells;
    Tone tone = Tone::kPlain;
  };
  void Table(const std::vector<std::string>& header, const std::vector<Row>& rows);

  const std::string& text() const { return text_; }

 private:
  const ConsoleStyle style_;
  std::string text_;
};

}  // namespace ponder
