#include "core/answers/final_answer.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "core/base/words.h"

namespace ponder {
namespace {

// The last kMaxJudgedBytes of `text`, without a word that the cut went through: half a word must
// not pass for a marker or an answer.
std::string_view JudgedTail(std::string_view text) {
  if (text.size() <= kMaxJudgedBytes) return text;
  const size_t cut = text.size() - kMaxJudgedBytes;
  const size_t whole = text.find_first_of(kSpaces, cut - 1);
  return whole == std::string_view::npos ? std::string_view() : text.substr(whole);
}

using Answer = std::span<const std::string_view>;

// What follows each marker, in order; empty answers are left out unless last.
std::vector<Answer> AnswersIn(const std::vector<std::string_view>& words, std::string_view marker) {
  std::vector<Answer> answers;
  auto at = std::find(words.begin(), words.end(), marker);
  while (at != words.end()) {
    const auto begin = at + 1;
    at = std::find(begin, words.end(), marker);
    if (begin != at || at == words.end()) answers.emplace_back(begin, at);
  }
  return answers;
}

std::string Join(Answer words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ' ';
    text += word;
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
  const std::vector<std::string_view> gold_words = WordsOf(gold);
  if (gold_words.empty() ||
      std::find(gold_words.begin(), gold_words.end(), marker) != gold_words.end()) {
    return Judgment(AnswerVerdict::kUnparsableGold, "unparsable gold");
  }
  if (truncated) return Judgment(AnswerVerdict::kTruncated, "truncated");

  const std::vector<std::string_view> words = WordsOf(JudgedTail(response));
  const std::vector<Answer> answers = AnswersIn(words, marker);
  if (answers.empty() || answers.back().empty()) {
    return Judgment(AnswerVerdict::kNoAnswer, "no answer");
  }
  const Answer last = answers.back();
  const auto equals = [](Answer a, Answer b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  const bool hedged = std::any_of(answers.begin(), answers.end(),
                                  [&](Answer earlier) { return !equals(earlier, last); });
  AnswerJudgment judgment = hedged ? Judgment(AnswerVerdict::kHedged, "hedged")
                            : equals(last, gold_words)
                                ? Judgment(AnswerVerdict::kEqual, "equal")
                                : Judgment(AnswerVerdict::kDifferent, "different");
  judgment.extracted = Join(last);
  judgment.num_candidates = static_cast<uint32_t>(answers.size());
  return judgment;
}

std::optional<std::string> CommittedAnswer(std::string_view response, std::string_view marker,
                                           bool truncated) {
  // Any gold will do: an answer is committed to whether it equals the gold or not.
  constexpr std::string_view kAnyGold = "0";
  const AnswerJudgment judgment = JudgeMarkedAnswer(response, kAnyGold, marker, truncated);
  if (judgment.verdict != AnswerVerdict::kEqual && judgment.verdict != AnswerVerdict::kDifferent) {
    return std::nullopt;
  }
  return judgment.extracted;
}

}  // namespace ponder
