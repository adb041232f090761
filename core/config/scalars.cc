#include "core/config/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "core/config/nearest_name.h"

namespace ponder {
namespace {

constexpr size_t kMaxTextLength = 255;
constexpr size_t kMaxNameLength = 64;
constexpr size_t kMaxFreeTextLength = 1 << 16;
constexpr int64_t kManyCount = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

std::string_view WithoutSign(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return text;
}

bool HasLeadingZero(std::string_view digits) { return digits.size() > 1 && digits[0] == '0'; }

// -?digits[.digits][e[+-]digits]
bool IsDecimal(std::string_view text) {
  text = WithoutSign(text);
  const size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view digits = text.substr(exponent + 1);
    if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) digits.remove_prefix(1);
    if (!AllDigits(digits)) return false;
    text = text.substr(0, exponent);
  }
  const size_t point = text.find('.');
  if (point != std::string_view::npos) {
    if (!AllDigits(text.substr(point + 1))) return false;
    text = text.substr(0, point);
  }
  return AllDigits(text);
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool IsTruthWord(const std::string& lower) {
  static constexpr std::array kWords = {"true", "false", "yes", "no", "on", "off", "y", "n"};
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool IsNonFiniteWord(const std::string& lower) {
  const std::string_view word = WithoutSign(lower);
  return word == ".nan" || word == ".inf" || word == "nan" || word == "inf" || word == "infinity" ||
         lower == "+.inf" || lower == "+inf";
}

// A scalar that may be a number or a truth value: quoting says that it is text.
bool IsUnquoted(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kScalar && node.style != YamlNode::Style::kQuoted;
}

std::string Expected(const std::string& what, const YamlNode& node, const std::string& hint = {}) {
  return "expected " + what + ", got " + Describe(node) +
         (hint.empty() ? std::string() : " (" + hint + ")");
}

std::string QuotingHint(const YamlNode& node) {
  const bool quoted =
      node.kind == YamlNode::Kind::kScalar && node.style == YamlNode::Style::kQuoted;
  return quoted ? "remove the quotes" : "";
}

// Parses plain decimal digits; `what` opens the message.
template <typename Number>
std::optional<Number> ReadWhole(const YamlNode& node, const std::string& what, std::string* error) {
  if (!IsUnquoted(node)) {
    *error = Expected(what, node, QuotingHint(node));
    return std::nullopt;
  }
  const std::string& text = node.text;
  if (!AllDigits(WithoutSign(text))) {
    *error = Expected(what, node, IsDecimal(text) ? "write it without '.' and 'e'" : "");
    return std::nullopt;
  }
  if (HasLeadingZero(WithoutSign(text))) {
    *error = Expected(what, node, "a leading zero reads as octal elsewhere; leave it out");
    return std::nullopt;
  }
  Number value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    *error = Expected(what, node);
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> ReadWithin(const YamlNode& node, const IntLimits& limits,
                                  const std::string& what, std::string* error) {
  const std::optional<int64_t> value = ReadWhole<int64_t>(node, what, error);
  if (value && (*value < limits.min || *value > limits.max)) {
    *error = Expected(what, node);
    return std::nullopt;
  }
  return value;
}

bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= kMaxNameLength && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
                  c == '-';
         });
}

// Two names, AREA/NAME.
bool IsMetric(const std::string& text) {
  const size_t slash = text.find('/');
  return slash != std::string::npos && IsName(text.substr(0, slash)) &&
         IsName(text.substr(slash + 1));
}

// Control characters, and '$', which a second reading of the resolved file would substitute again.
bool IsPath(const std::string& text) {
  return !text.empty() && text.size() <= kMaxTextLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '$';
         });
}

// Control characters, and "${", for the same reason.
bool IsFreeText(const std::string& text) {
  return !text.empty() && text.size() <= kMaxFreeTextLength &&
         text.find("${") == std::string::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
         });
}

bool Fits(const std::string& text, TextRule::Form form) {
  switch (form) {
    case TextRule::Form::kName:
      return IsName(text);
    case TextRule::Form::kPath:
      return IsPath(text);
    case TextRule::Form::kText:
      return IsFreeText(text);
    case TextRule::Form::kMetric:
      return IsMetric(text);
    case TextRule::Form::kChoice:
      break;
  }
  return false;
}

}  // namespace

std::optional<int64_t> ReadInt(const YamlNode& node, const IntLimits& limits, std::string* error) {
  return ReadWithin(node, limits, "a whole number, " + RangeText(limits), error);
}

std::optional<int64_t> ReadIntOrWord(const YamlNode& node, const IntLimits& limits,
                                     const std::string& word, int64_t word_value,
                                     std::string* error) {
  if (node.kind == YamlNode::Kind::kScalar && node.text == word) return word_value;
  const std::string what = "a whole number, " + RangeText(limits) + ", or '" + word + "'";
  return ReadWithin(node, limits, what, error);
}

std::optional<uint64_t> ReadUnsigned(const YamlNode& node, std::string* error) {
  return ReadWhole<uint64_t>(node, "a whole number, 0 to 18446744073709551615", error);
}

std::optional<double> ReadReal(const YamlNode& node, const RealLimits& limits, std::string* error) {
  const std::string what = "a number, " + RangeText(limits);
  if (!IsUnquoted(node)) {
    *error = Expected(what, node, QuotingHint(node));
    return std::nullopt;
  }
  const std::string& text = node.text;
  if (!IsDecimal(text)) {
    *error =
        Expected(what, node, IsNonFiniteWord(Lower(text)) ? "only finite numbers are taken" : "");
    return std::nullopt;
  }
  const std::string_view whole =
      WithoutSign(text).substr(0, WithoutSign(text).find_first_of(".eE"));
  if (HasLeadingZero(whole)) {
    *error = Expected(what, node, "a leading zero reads as octal elsewhere; leave it out");
    return std::nullopt;
  }
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) {
    *error = Expected(what, node, "outside what a double holds");
    return std::nullopt;
  }
  const bool low = limits.min_open ? value <= limits.min : value < limits.min;
  const bool high = limits.max_open ? value >= limits.max : value > limits.max;
  if (low || high) {
    *error = Expected(what, node);
    return std::nullopt;
  }
  return value;
}

std::optional<bool> ReadFlag(const YamlNode& node, std::string* error) {
  if (IsUnquoted(node) && node.text == "true") return true;
  if (IsUnquoted(node) && node.text == "false") return false;
  *error = Expected("true or false", node, QuotingHint(node));
  return std::nullopt;
}

std::optional<std::string> ReadText(const YamlNode& node, const TextRule& rule,
                                    std::string* error) {
  const std::string what =
      rule.form == TextRule::Form::kChoice ? "one of " + RangeText(rule) : RangeText(rule);
  if (node.kind != YamlNode::Kind::kScalar) {
    *error = Expected(what, node);
    return std::nullopt;
  }
  const std::string& text = node.text;
  if (rule.form == TextRule::Form::kChoice) {
    if (std::find(rule.choices.begin(), rule.choices.end(), text) != rule.choices.end()) {
      return text;
    }
    const std::string nearest = NearestName(text, rule.choices);
    *error = Expected(what, node) + (nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
    return std::nullopt;
  }
  // Free text is taken as it stands: an argument of a command may look like a number.
  if (rule.form != TextRule::Form::kText && node.style == YamlNode::Style::kPlain &&
      LooksLikeAnotherType(text)) {
    *error = Expected(what, node, "YAML reads this as another type; write \"" + text + "\"");
    return std::nullopt;
  }
  if (!Fits(text, rule.form)) {
    *error = Expected(what, node);
    return std::nullopt;
  }
  return text;
}

std::string RangeText(const IntLimits& limits) {
  if (limits.min == limits.max) return fmt::format("{}", limits.min);
  if (limits.max >= kManyCount) return fmt::format("{} or more", limits.min);
  return fmt::format("{} to {}", limits.min, limits.max);
}

std::string RangeText(const RealLimits& limits) {
  return fmt::format("{} {} x {} {}", limits.min,
                     limits.min_open ? "<" : "<=", limits.max_open ? "<" : "<=", limits.max);
}

std::string RangeText(const TextRule& rule) {
  switch (rule.form) {
    case TextRule::Form::kName:
      return fmt::format(
          "a name of 1 to {} letters, digits, '.', '_' or '-' that starts with none of '.' and '-'",
          kMaxNameLength);
    case TextRule::Form::kPath:
      return "a path without '$' and control characters";
    case TextRule::Form::kText:
      return fmt::format("text of 1 to {} bytes without \"${{\" and control characters",
                         kMaxFreeTextLength);
    case TextRule::Form::kMetric:
      return "a metric, AREA/NAME";
    case TextRule::Form::kChoice:
      return JoinNames(rule.choices);
  }
  return {};
}

YamlNode WriteInt(int64_t value) { return YamlNode::Scalar(std::to_string(value)); }
YamlNode WriteUnsigned(uint64_t value) { return YamlNode::Scalar(std::to_string(value)); }
YamlNode WriteReal(double value) { return YamlNode::Scalar(fmt::format("{}", value)); }
YamlNode WriteFlag(bool value) { return YamlNode::Scalar(value ? "true" : "false"); }

YamlNode WriteText(const std::string& value) {
  const bool plain = !value.empty() && !LooksLikeAnotherType(value) && value[0] != '-' &&
                     std::all_of(value.begin(), value.end(), [](char c) {
                       return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                              c == '-' || c == '.' || c == '/';
                     });
  return YamlNode::Scalar(value, plain ? YamlNode::Style::kPlain : YamlNode::Style::kQuoted);
}

bool LooksLikeAnotherType(const std::string& text) {
  const std::string lower = Lower(text);
  if (lower == "null" || lower == "~" || IsTruthWord(lower) || IsNonFiniteWord(lower)) return true;
  const std::string_view unsigned_text = WithoutSign(lower);
  return IsDecimal(lower) || unsigned_text.starts_with("0x") || unsigned_text.starts_with("0o");
}

std::string Describe(const YamlNode& node) {
  constexpr size_t kMaxShown = 60;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a section";
    case YamlNode::Kind::kScalar:
      break;
  }
  const std::string shown =
      node.text.size() > kMaxShown ? node.text.substr(0, kMaxShown) + "..." : node.text;
  if (node.style == YamlNode::Style::kQuoted) return "the quoted text \"" + shown + "\"";
  return "'" + shown + "'";
}

}  // namespace ponder
