// The only place where messages become plain types and back. FromWire checks lengths, ids, ranges
// and finiteness and throws ProtocolError that names message, field, expected and got.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "ponder/v1/common.pb.h"

namespace ponder {

// Bounds that FromWire enforces on a message from another process.
struct WireLimits {
  uint32_t vocab_size = 0;         // 0: not checked
  uint32_t max_tokens = 1u << 20;  // of one sequence
  uint32_t max_samples = 4096;
};

v1::ModelIdentity ToWire(const ModelIdentity& value);
v1::Prompt ToWire(const Prompt& value);
v1::SamplingParams ToWire(const SamplingParams& value);
v1::PromptLease ToWire(const PromptLease& value);
v1::SourceReward ToWire(const SourceReward& value);
v1::Trajectory ToWire(const Trajectory& value);
v1::VerdictKind ToWire(VerdictKind value);
v1::FinishReason ToWire(FinishReason value);

ModelIdentity FromWire(const v1::ModelIdentity& message);
Prompt FromWire(const v1::Prompt& message, const WireLimits& limits);
SamplingParams FromWire(const v1::SamplingParams& message, const WireLimits& limits);
PromptLease FromWire(const v1::PromptLease& message, const WireLimits& limits);
SourceReward FromWire(const v1::SourceReward& message);
Trajectory FromWire(const v1::Trajectory& message, const WireLimits& limits);
VerdictKind FromWire(v1::VerdictKind value);
FinishReason FromWire(v1::FinishReason value);

// One source of a reward set, and its factor in the sum.
struct RewardTerm {
  std::string source;
  double weight = 1;
};
// By the name that a lease gives its set.
using RewardSets = std::map<std::string, std::vector<RewardTerm>>;

// Rules that join a group, whose trajectories FromWire has checked one by one, to its lease:
// ordinals equal, sample indices 0..rows-1, the prompt unchanged and marked as such, temperatures
// and token budgets kept, one version equal to the lease's, greedy row last, rewards scored, of
// finite sum, and by the sources of the lease's reward set (`terms`) in their order. Throws
// ProtocolError.
void CheckGroupAgainstLease(const TrajectoryGroup& group, std::span<const RewardTerm> terms);

}  // namespace ponder
