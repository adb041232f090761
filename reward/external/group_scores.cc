#include "reward/external/group_scores.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace ponder {

std::string PromptText(const Prompt& prompt) {
  std::string text;
  for (const Message& message : prompt.messages) {
    if (!text.empty()) text += '\n';
    text += message.content;
  }
  return text;
}

std::vector<SourceReward> RewardsOf(const GroupScores& scores, size_t num_completions,
                                    const RealRange& range) {
  SourceReward reward;
  if (!scores.refusal.empty()) {
    reward.verdict = VerdictKind::kRefused;
    reward.rule = Excerpt(scores.refusal);
    return std::vector<SourceReward>(num_completions, reward);
  }
  if (scores.values.size() != num_completions) {
    throw ProtocolError(fmt::format("expected {} scores, one per response, got {}", num_completions,
                                    scores.values.size()));
  }
  reward.rule = "judged";
  std::vector<SourceReward> rewards(num_completions, reward);
  for (size_t i = 0; i < num_completions; ++i) {
    rewards[i].value = scores.values[i];
    // False for NaN too.
    if (!(range.min <= scores.values[i] && scores.values[i] <= range.max)) {
      throw ProtocolError(fmt::format("scores[{}]: expected a number from {} to {}, got {}", i,
                                      range.min, range.max, scores.values[i]));
    }
  }
  return rewards;
}

std::string Excerpt(std::string_view text) {
  constexpr size_t kMaxBytes = 200;
  std::string shown;
  for (const char c : text.substr(0, kMaxBytes)) {
    shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  // A character that the cut went through is left out whole.
  while (text.size() > kMaxBytes && !shown.empty() &&
         (static_cast<unsigned char>(text[shown.size()]) & 0xC0) == 0x80) {
    shown.pop_back();
  }
  return text.size() > kMaxBytes ? shown + "..." : shown;
}

}  // namespace ponder
