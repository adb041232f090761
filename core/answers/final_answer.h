// Finds and judges the final answer of a response. Pure functions; no regular expressions, no
// evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ponder {

enum class AnswerVerdict : uint8_t {
  kEqual,
  kDifferent,
  kNoAnswer,        // no marker, or nothing after the last one
  kHedged,          // an earlier answer differs from the last one
  kTruncated,       // ran out of tokens: never right
  kUnparsableGold,  // the reference is unusable: a refusal, not a score
};

// What was judged and why.
struct AnswerJudgment {
  AnswerVerdict verdict = AnswerVerdict::kNoAnswer;
  std::string rule;       // the rule that decided, for a reward's breakdown
  std::string extracted;  // the last answer, spaces normalised; empty without one
  uint32_t num_candidates = 0;
};

// What marks the answer in every task of the symbol vocabulary.
inline constexpr std::string_view kAnswerMarker = "#";

// Only this much of the end of a response is looked at.
inline constexpr size_t kMaxJudgedBytes = 64 << 10;

// Judges a response whose answers follow the word `marker`, each up to the next marker or the end.
// The last answer counts; an earlier one that differs makes it hedged, so a second answer cannot
// help. `response` holds what the policy wrote and never the prompt, so an echo of the prompt in
// the dialogue counts for nothing. A gold without a word, or with the marker in it, is unparsable.
// Comparison is by words: spaces do not matter, anything else does. Takes linear time.
AnswerJudgment JudgeMarkedAnswer(std::string_view response, std::string_view gold,
                                 std::string_view marker, bool truncated);

// The answer that a response commits to, by the same rules and without a gold: nothing when it has
// none, is hedged or ran out of tokens.
std::optional<std::string> CommittedAnswer(std::string_view response, std::string_view marker,
                                           bool truncated);

}  // namespace ponder
