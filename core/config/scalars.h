// Single values: strict reading, and writing that reads back to the same value.
//
// The readers return the value, or nothing and a text in `*error` of the form "expected X, got Y
// (hint)".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/yaml_node.h"

namespace ponder {

// Whole numbers from min to max. Decimal digits only: 010, 0x10, 1e3 and 1_000 mean different
// things to different readers of YAML.
struct IntLimits {
  int64_t min = 0;
  int64_t max = 1'000'000'000;
};

// Finite numbers from min to max; an open end leaves the bound itself out.
struct RealLimits {
  double min = 0;
  double max = 0;
  bool min_open = false;
  bool max_open = false;
};

// Which texts a key takes.
struct TextRule {
  enum class Form {
    kName,    // of a run, stage, task ...: letters, digits, '.', '_', '-'; it becomes a file name
    kPath,    // a path, possibly with folders
    kText,    // any text of one or more lines, without "${"
    kMetric,  // of a metric: AREA/NAME
    kChoice,  // one of `choices`
  };
  Form form = Form::kName;
  std::vector<std::string> choices;
};

std::optional<int64_t> ReadInt(const YamlNode& node, const IntLimits& limits, std::string* error);
// Or `word`, which stands for `word_value`.
std::optional<int64_t> ReadIntOrWord(const YamlNode& node, const IntLimits& limits,
                                     const std::string& word, int64_t word_value,
                                     std::string* error);
std::optional<uint64_t> ReadUnsigned(const YamlNode& node, std::string* error);
std::optional<double> ReadReal(const YamlNode& node, const RealLimits& limits, std::string* error);
std::optional<bool> ReadFlag(const YamlNode& node, std::string* error);
std::optional<std::string> ReadText(const YamlNode& node, const TextRule& rule, std::string* error);

// "1 to 16", "-2 or more", "0 < x <= 1", "a, b".
std::string RangeText(const IntLimits& limits);
std::string RangeText(const RealLimits& limits);
std::string RangeText(const TextRule& rule);

YamlNode WriteInt(int64_t value);
YamlNode WriteUnsigned(uint64_t value);
// The shortest text that reads back to the same bits.
YamlNode WriteReal(double value);
YamlNode WriteFlag(bool value);
YamlNode WriteText(const std::string& value);

// What a plain scalar would be to a reader of YAML that guesses types: a number, a truth value or
// null.
bool LooksLikeAnotherType(const std::string& text);
// How a message shows a value: "'x'", "the quoted text \"5\"", "a list", "a section", "nothing".
std::string Describe(const YamlNode& node);

}  // namespace ponder
