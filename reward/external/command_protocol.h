// The lines of a user's program: one JSON object per group in, one out (docs/rewards.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reward/external/group_scores.h"
#include "reward/judged_group.h"

namespace ponder {

// {"id": 7, "task": "...", "prompt": "...", "reference": "...", "metadata": {...},
//  "responses": ["..."], "truncated": [false]}; one line. Bytes that are not UTF-8 become U+FFFD.
std::string CommandRequestLine(uint64_t id, const JudgedGroup& group);

// What {"id": 7, "scores": [...]} or {"id": 7, "refused": "why"} says. Throws ProtocolError on
// anything else and on another id: the program and this one are out of step. {"id": 7, "error":
// "why"} is an answer too: it comes back in `*error`.
GroupScores ParseCommandReply(std::string_view line, uint64_t id, std::string* error);

}  // namespace ponder
