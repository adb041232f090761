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

// Bytes at the start of `text` that spell `secret`, each character as it is or behind a backslash;
// 0 when they do not, or when there is no secret.
size_t SecretLength(std::string_view text, std::string_view secret) {
  size_t length = 0;
  for (const char c : secret) {
    if (length < text.size() && text[length] == '\\' && c != '\\') ++length;
    if (length >= text.size() || text[length] != c) return 0;
    ++length;
  }
  return length;
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

std::string Excerpt(std::string_view text, std::string_view secret) {
  constexpr size_t kMaxBytes = 200;
  std::string shown;
  while (!text.empty()) {
    std::string_view put = "***";
    size_t taken = SecretLength(text, secret);
    if (taken == 0) {
      const size_t length = CharacterLength(text);
      taken = std::max<size_t>(length, 1);
      const bool is_control = static_cast<unsigned char>(text[0]) < 0x20;
      put = length == 0 ? "?" : is_control ? " " : text.substr(0, length);
    }
    if (shown.size() + put.size() > kMaxBytes) return shown + "...";
    shown += put;
    text.remove_prefix(taken);
  }
  return shown;
}

}  // namespace ponder
