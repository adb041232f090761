// Small makers that the tests of the experience share.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/philox.h"
#include "trainer/experience/experience.h"

namespace ponder::testing {

inline constexpr uint16_t kStream = 3;
inline constexpr uint16_t kEvaluationStream = 9;

inline TimePoint At(int64_t seconds) { return TimePoint{} + std::chrono::seconds(seconds); }

inline uint64_t OrdinalOf(uint64_t index, uint8_t refill = 0, uint16_t stream = kStream) {
  return Ordinal{stream, refill, index}.Pack();
}

inline Prompt PromptOf(uint64_t ordinal) {
  Prompt prompt;
  prompt.ordinal = ordinal;
  prompt.task = "chain";
  prompt.token_ids = {1, 2, 3};
  return prompt;
}

inline ModelIdentity IdentityOf(uint64_t version, uint32_t attempt = 1) {
  return {.run_id = "run",
          .attempt = attempt,
          .model = "policy",
          .version = version,
          .digest = std::string(64, 'a')};
}

inline SampledStage StageOf(int64_t num_steps, int64_t slots_per_step, int64_t max_staleness,
                            uint64_t first_version = 1) {
  SampledStage stage;
  stage.name = "reason";
  stage.stream = kStream;
  stage.model = "policy";
  stage.reward_set = "stage/reason";
  stage.sampling.num_samples = 1;
  stage.num_steps = num_steps;
  stage.slots_per_step = slots_per_step;
  stage.max_staleness = max_staleness;
  stage.first_version = first_version;
  return stage;
}

inline SampledEvaluation EvaluationOf(uint64_t num_prompts, uint64_t version) {
  SampledEvaluation evaluation;
  evaluation.name = "heldout";
  evaluation.stream = kEvaluationStream;
  evaluation.stage = "reason";
  evaluation.reward_set = "evaluation/heldout";
  evaluation.num_prompts = num_prompts;
  evaluation.model = IdentityOf(version);
  return evaluation;
}

// A group as a worker that sampled once for `lease` brings it.
inline TrajectoryGroup ScoredGroup(const PromptLease& lease) {
  TrajectoryGroup group;
  group.lease = lease;
  Trajectory trajectory;
  trajectory.ordinal = lease.prompt.ordinal;
  trajectory.token_ids = lease.prompt.token_ids;
  group.trajectories.push_back(std::move(trajectory));
  return group;
}

inline TrajectoryGroup FailedGroup(const PromptLease& lease, VerdictKind outcome) {
  TrajectoryGroup group;
  group.lease = lease;
  group.outcome = outcome;
  group.reason = "as the test wants";
  return group;
}

inline std::vector<uint64_t> OrdinalsOf(const std::vector<TrajectoryGroup>& groups) {
  std::vector<uint64_t> ordinals;
  for (const TrajectoryGroup& group : groups) ordinals.push_back(group.lease.prompt.ordinal);
  return ordinals;
}

inline std::vector<uint64_t> OrdinalsOf(const std::vector<PromptLease>& leases) {
  std::vector<uint64_t> ordinals;
  for (const PromptLease& lease : leases) ordinals.push_back(lease.prompt.ordinal);
  return ordinals;
}

}  // namespace ponder::testing
