// Insertions into source text at places that can be recognised. Pure functions. Each throws
// Error(kBadData) that names `path` when the place is not there exactly once, so that a changed
// file is refused instead of damaged.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

struct SourceText {
  std::string path;  // for messages
  std::string text;
};

// A run of whole lines: those after the line that holds `opening`, up to the line `closing`.
struct LineBlock {
  std::string_view opening;  // part of exactly one line
  std::string_view closing;  // a whole line, the first such after it
};

// The lines of `block`.
std::string_view TextOf(const LineBlock& block, const SourceText& source);

// Adds `lines`, which end with a newline, as the last ones of `block`.
void AppendToBlock(const LineBlock& block, std::string_view lines, SourceText* source);

// Adds `line`, which ends with a newline, before the first line of `block` that is greater.
void InsertSorted(const LineBlock& block, std::string_view line, SourceText* source);

// Adds `inserted` right after `anchor`.
void InsertAfter(std::string_view anchor, std::string_view inserted, SourceText* source);

// Adds one to the number that follows `anchor`: the size of an array that got a row.
void IncrementAfter(std::string_view anchor, SourceText* source);

}  // namespace ponder
