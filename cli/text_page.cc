#include "cli/text_page.h"

#include <algorithm>

namespace ponder {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kGap = 2;
// A cell that is not the last may not push the others off the screen.
constexpr size_t kMaxCellColumns = 28;
// What columns must leave to the last one; where they do not, a row is a list.
constexpr size_t kMinLastColumns = 8;

// Paints line by line, so that no colour runs over the indent of the next one.
std::string PaintLines(std::string_view text, Tone tone, const ConsoleStyle& style) {
  std::string painted;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const size_t begin = std::min(text.find_first_not_of(' '), end);
    painted += std::string(text.substr(0, begin));
    if (end > begin) painted += Paint(text.substr(begin, end - begin), tone, style);
    if (end < text.size()) painted += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return painted;
}

}  // namespace

void TextPage::Title(std::string_view text) {
  if (!text_.empty()) text_ += '\n';
  text_ += PaintLines(Wrap(Printable(text), 0, kIndent, style_.columns), Tone::kTitle, style_);
}

void TextPage::Line(std::string_view text, Tone tone) {
  text_ += std::string(kIndent, ' ') +
           PaintLines(Wrap(Printable(text, 2000), kIndent, kIndent + kGap, style_.columns), tone,
                      style_);
}

void TextPage::Item(std::string_view label, std::string_view text, size_t width, Tone tone) {
  std::string head = std::string(kIndent, ' ') + Printable(label);
  head.resize(std::max(head.size() + kGap, kIndent + width), ' ');
  const size_t indent = kIndent + width;
  text_ += head + PaintLines(Wrap(Printable(text, 2000), head.size(), indent, style_.columns), tone,
                             style_);
}

void TextPage::Table(const std::vector<std::string>& header, const std::vector<Row>& rows) {
  const auto title = [](const std::string& name) {
    return name.starts_with('>') ? name.substr(1) : name;
  };
  std::vector<size_t> widths;
  for (const std::string& name : header) widths.push_back(title(name).size());
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
      widths[i] = std::max(widths[i], std::min(Printable(row.cells[i]).size(), kMaxCellColumns));
    }
  }
  size_t taken = kIndent;
  for (size_t i = 0; i + 1 < widths.size(); ++i) taken += widths[i] + kGap;
  const bool is_narrow = taken + kMinLastColumns > style_.columns;
  const auto add = [&](const std::vector<std::string>& cells, Tone tone) {
    std::string line(kIndent, ' ');
    if (is_narrow) {
      for (const std::string& cell : cells) {
        if (!cell.empty()) line += (line.size() > kIndent ? ", " : "") + Printable(cell, 2000);
      }
      text_ += PaintLines(Wrap(line, 0, 2 * kIndent, style_.columns), tone, style_);
      return;
    }
    for (size_t i = 0; i + 1 < cells.size(); ++i) {
      std::string cell = Printable(cells[i]);
      const size_t room = widths[i] > cell.size() ? widths[i] - cell.size() : 0;
      cell = header[i].starts_with('>') ? std::string(room, ' ') + cell
                                        : cell + std::string(room, ' ');
      line += cell + std::string(kGap, ' ');
    }
    const size_t column = line.size();
    line += Wrap(Printable(cells.back(), 2000), column, std::min(column, style_.columns / 2),
                 style_.columns);
    // Empty last cells leave no spaces behind.
    line.erase(line.find_last_not_of(" \n") + 1);
    text_ += PaintLines(line + "\n", tone, style_);
  };
  std::vector<std::string> titles;
  for (const std::string& name : header) titles.push_back(title(name));
  add(titles, Tone::kQuiet);
  for (const Row& row : rows) add(row.cells, row.tone);
}

}  // namespace ponder
