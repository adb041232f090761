// What a user's own judge says of a group, whatever it was asked by: checked, and turned into
// rewards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/config/experiment.h"

namespace ponder {

// Scores of all completions in order, or a refusal of the prompt.
struct GroupScores {
  std::vector<double> values;
  std::string refusal;  // why the problem or its reference cannot be used; empty: they can
};

// The problem as text: the contents of the prompt's messages, one below the other.
std::string PromptText(const Prompt& prompt);

// One reward per completion. Throws ProtocolError when there are not `num_completions` scores, and
// when one is not a number within `range`: a judge that lies is broken, its answer is no score.
std::vector<SourceReward> RewardsOf(const GroupScores& scores, size_t num_completions,
                                    const RealRange& range);

// A text of another program as a message may show it: at most 200 bytes and "...", one line, with
// '?' for bytes that are not UTF-8, which protobuf would not carry, and with "***" for `secret`,
// also where JSON spells it with backslashes. An empty secret is none.
std::string Excerpt(std::string_view text, std::string_view secret = {});

}  // namespace ponder
