#include "reward/external/judge_prompt.h"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"
#include "reward/external/group_scores.h"

namespace ponder {
namespace {

constexpr size_t kMaxReplyBytes = size_t{1} << 20;
// How many opening braces from the end a JSON object is looked for at.
constexpr int kMaxObjects = 64;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordPart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// A number and where it stands.
struct FoundNumber {
  size_t begin = 0;
  double value = 0;
};

// The number whose last digit is the last digit of text[0, end); nothing when those digits belong
// to a word.
std::optional<FoundNumber> NumberBefore(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && IsDigit(text[begin - 1])) --begin;
  if (begin > 1 && text[begin - 1] == '.' && IsDigit(text[begin - 2])) {
    --begin;
    while (begin > 0 && IsDigit(text[begin - 1])) --begin;
  }
  const bool in_word =
      (begin > 0 && IsWordPart(text[begin - 1])) || (end < text.size() && IsWordPart(text[end]));
  if (in_word) return std::nullopt;
  // A sign, unless it joins two things: "3-5" ends with 5.
  if (begin > 0 && text[begin - 1] == '-' &&
      (begin == 1 || !(IsWordPart(text[begin - 2]) || text[begin - 2] == ')'))) {
    --begin;
  }
  FoundNumber found{.begin = begin};
  std::from_chars(text.data() + begin, text.data() + end, found.value);
  return found;
}

std::optional<double> LastNumber(std::string_view text) {
  for (size_t end = text.size(); end > 0; --end) {
    if (!IsDigit(text[end - 1]) || (end < text.size() && IsDigit(text[end]))) continue;
    const std::optional<FoundNumber> found = NumberBefore(text, end);
    if (!found) continue;
    // "7/10" or "7 / 10": a score out of the best one.
    size_t before = found->begin;
    while (before > 0 && text[before - 1] == ' ') --before;
    if (before > 0 && text[before - 1] == '/') {
      --before;
      while (before > 0 && text[before - 1] == ' ') --before;
      if (before > 0 && IsDigit(text[before - 1])) {
        if (const auto score = NumberBefore(text, before)) return score->value;
      }
    }
    return found->value;
  }
  return std::nullopt;
}

std::optional<double> LastField(std::string_view text, const std::string& field) {
  const size_t close = text.rfind('}');
  if (close == std::string_view::npos) return std::nullopt;
  size_t open = text.rfind('{', close);
  for (int tries = 0; tries < kMaxObjects && open != std::string_view::npos; ++tries) {
    try {
      const auto object =
          ParseJsonStrict(text.substr(open, close - open + 1), "the reply", kMaxReplyBytes);
      if (object.contains(field) && object[field].is_number()) return object[field].get<double>();
    } catch (const Error&) {
      // This brace opens something else: the object may begin further ahead.
    }
    if (open == 0) break;
    open = text.rfind('{', open - 1);
  }
  return std::nullopt;
}

}  // namespace

std::string FillTemplate(std::string_view text, std::string_view prompt, std::string_view response,
                         std::string_view reference) {
  const std::array<std::pair<std::string_view, std::string_view>, 3> values{
      {{"{prompt}", prompt}, {"{response}", response}, {"{reference}", reference}}};
  std::string filled;
  while (!text.empty()) {
    const size_t brace = text.find('{');
    filled += text.substr(0, brace);
    if (brace == std::string_view::npos) break;
    text.remove_prefix(brace);
    std::string_view put = text.substr(0, 1);
    size_t taken = 1;
    for (const auto& [name, value] : values) {
      if (!text.starts_with(name)) continue;
      put = value;
      taken = name.size();
    }
    filled += put;
    text.remove_prefix(taken);
  }
  return filled;
}

double ScoreInReply(std::string_view reply, const std::string& field, std::string_view api_key) {
  const std::optional<double> score = field.empty() ? LastNumber(reply) : LastField(reply, field);
  if (!score) {
    throw ProtocolError("the judge's reply: expected " +
                        (field.empty() ? std::string("a number")
                                       : "a JSON object with a number in '" + field + "'") +
                        ", got '" + Excerpt(reply, api_key) + "'");
  }
  return *score;
}

}  // namespace ponder
