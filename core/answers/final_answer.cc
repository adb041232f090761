#include "core/answers/final_answer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ponder {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < text.size()) {
    if (IsSpace(text[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && !IsSpace(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

// Words [begin, end) with single spaces.
std::string Join(const std::vector<std::string_view>& words, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) {
    if (!text.empty()) text += ' ';
    text += words[i];
  }
  return text;
}

AnswerJudgment Judgment(AnswerVerdict verdict, std::string rule) {
  AnswerJudgment judgment;
  judgment.verdict = verdict;
  judgment.rule = std::move(rule);
  return judgment;
}

}  // namespace

AnswerJudgment JudgeMarkedAnswer(std::string_view response, std::string_view gold,
                                 std::string_view marker, bool truncated) {
  const std::vector<std::string_view> gold_words = Words(gold);
  if (gold_words.empty()) return Judgment(AnswerVerdict::kUnparsableGold, "unparsable gold");
  if (truncated) return Judgment(AnswerVerdict::kTruncated, "truncated");
  if (response.size() > kMaxJudgedBytes) response.remove_prefix(response.size() - kMaxJudgedBytes);

  const std::vector<std::string_view> words = Words(response);
  std::vector<std::string> candidates;
  for (size_t at = 0; at < words.size(); ++at) {
    if (words[at] != marker) continue;
    size_t end = at + 1;
    while (end < words.size() && words[end] != marker) ++end;
    candidates.push_back(Join(words, at + 1, end));
  }
  if (candidates.empty() || candidates.back().empty()) {
    return Judgment(AnswerVerdict::kNoAnswer, "no answer");
  }
  AnswerJudgment judgment;
  judgment.extracted = candidates.back();
  judgment.num_candidates = static_cast<uint32_t>(candidates.size());
  const bool hedged =
      std::any_of(candidates.begin(), candidates.end(),
                  [&](const std::string& other) { return other != judgment.extracted; });
  if (hedged) {
    judgment.verdict = AnswerVerdict::kHedged;
    judgment.rule = "hedged";
  } else if (judgment.extracted == Join(gold_words, 0, gold_words.size())) {
    judgment.verdict = AnswerVerdict::kEqual;
    judgment.rule = "equal";
  } else {
    judgment.verdict = AnswerVerdict::kDifferent;
    judgment.rule = "different";
  }
  return judgment;
}

}  // namespace ponder
