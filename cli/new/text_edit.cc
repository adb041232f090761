#include "cli/new/text_edit.h"

#include <algorithm>
#include <charconv>

#include "core/base/error.h"

namespace ponder {
namespace {

[[noreturn]] void Refuse(const SourceText& source, const std::string& expected) {
  throw Error(Condition::kBadData, "changing " + source.path + ": expected " + expected +
                                       " (it was changed by hand, or belongs to another version)");
}

// The position after `anchor`.
size_t EndOf(std::string_view anchor, const SourceText& source) {
  const size_t at = source.text.find(anchor);
  if (at == std::string::npos || source.text.find(anchor, at + 1) != std::string::npos) {
    Refuse(source, "'" + std::string(anchor) + "' exactly once");
  }
  return at + anchor.size();
}

// Where the lines of a block begin and end in the text.
struct Extent {
  size_t begin = 0;
  size_t end = 0;
};

size_t NextLine(const std::string& text, size_t at) {
  const size_t newline = text.find('\n', at);
  return newline == std::string::npos ? text.size() : newline + 1;
}

Extent Find(const LineBlock& block, const SourceText& source) {
  const std::string& text = source.text;
  const std::string closing = std::string(block.closing) + "\n";
  const size_t begin = NextLine(text, EndOf(block.opening, source));
  for (size_t at = begin; at < text.size(); at = NextLine(text, at)) {
    if (text.compare(at, closing.size(), closing) == 0) return {begin, at};
  }
  Refuse(source, "the line '" + std::string(block.closing) + "' after '" +
                     std::string(block.opening) + "'");
}

}  // namespace

std::string_view TextOf(const LineBlock& block, const SourceText& source) {
  const Extent extent = Find(block, source);
  return std::string_view(source.text).substr(extent.begin, extent.end - extent.begin);
}

void AppendToBlock(const LineBlock& block, std::string_view lines, SourceText* source) {
  source->text.insert(Find(block, *source).end, lines);
}

void InsertSorted(const LineBlock& block, std::string_view line, SourceText* source) {
  const Extent extent = Find(block, *source);
  size_t at = extent.begin;
  while (at < extent.end) {
    const size_t next = NextLine(source->text, at);
    if (std::string_view(source->text).substr(at, next - at) > line) break;
    at = next;
  }
  source->text.insert(at, line);
}

void InsertAfter(std::string_view anchor, std::string_view inserted, SourceText* source) {
  source->text.insert(EndOf(anchor, *source), inserted);
}

void IncrementAfter(std::string_view anchor, SourceText* source) {
  const size_t at = EndOf(anchor, *source);
  int number = 0;
  const char* begin = source->text.data() + at;
  const auto [end, error] =
      std::from_chars(begin, source->text.data() + source->text.size(), number);
  if (error != std::errc()) Refuse(*source, "a number after '" + std::string(anchor) + "'");
  source->text.replace(at, static_cast<size_t>(end - begin), std::to_string(number + 1));
}

}  // namespace ponder
