#include "reward/external/group_scores.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace ponder {
namespace {

// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none (RFC 3629).
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const bool is_bad = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                      (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return is_bad ? 0 : length;
}

}  // namespace

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
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (shown.size() + std::max<size_t>(length, 1) > kMaxBytes) return shown + "...";
    if (length == 0) {
      shown += '?';
    } else if (static_cast<unsigned char>(text[0]) < 0x20) {
      shown += ' ';
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return shown;
}

}  // namespace ponder
