// Correct values that the tests of the wire break one field at a time.
#pragma once

#include "core/base/types.h"

namespace ponder::testing {

inline constexpr uint32_t kVocabSize = 21;

inline ModelIdentity GoodIdentity() {
  return {.run_id = "quickstart-1",
          .attempt = 2,
          .model = "policy",
          .version = 7,
          .digest = std::string(32, 'a') + std::string(32, '0')};
}

inline Prompt GoodPrompt() {
  Prompt prompt;
  prompt.ordinal = 41;
  prompt.task = "chain";
  prompt.problem = 12;
  prompt.token_ids = {1, 2, 3};
  prompt.messages = {{"user", "1 + 2 = ?"}};
  prompt.reference_answer = "3";
  prompt.metadata = {{"num_operations", "1"}};
  return prompt;
}

inline PromptLease GoodLease() {
  PromptLease lease;
  lease.lease_id = 99;
  lease.try_number = 1;
  lease.purpose = LeasePurpose::kEvaluate;
  lease.prompt = GoodPrompt();
  lease.sampling = {.num_samples = 1,
                    .add_greedy = true,
                    .temperature = 0.75F,
                    .max_new_tokens = 4,
                    .max_total_tokens = 32};
  lease.model = GoodIdentity();
  lease.stage = "reason";
  lease.reward_set = "evaluation/heldout";
  lease.expires_in_ms = 30'000;
  return lease;
}

// What a worker brings for row `sample` of GoodLease.
inline Trajectory GoodTrajectory(uint32_t sample) {
  Trajectory trajectory;
  trajectory.ordinal = GoodPrompt().ordinal;
  trajectory.sample_index = sample;
  trajectory.greedy = sample == 1;
  trajectory.temperature = trajectory.greedy ? 0.0F : GoodLease().sampling.temperature;
  trajectory.token_ids = {1, 2, 3, 10, 11, 12, 13};
  trajectory.segments = {{0, SegmentKind::kPrompt, 7},
                         {3, SegmentKind::kSampled, 7},
                         {5, SegmentKind::kObservation, 7},
                         {6, SegmentKind::kSampled, 7}};
  trajectory.behavior_logprobs = {0, 0, 0, -0.5F, -1.5F, 0, -0.25F};
  trajectory.processed_logprobs = {0, 0, 0, -0.5F, -1.25F, 0, 0};
  trajectory.finish_reason = FinishReason::kLength;
  trajectory.step_ends = {4, 6};
  SourceReward reward;
  reward.source = "answer";
  reward.value = 1;
  reward.weight = 0.5;
  reward.rule = "equal";
  reward.step_values = {0.5F, 1};
  reward.token_values = {0, 0, 0, 0, 1, 0, 1};
  trajectory.rewards = {reward};
  return trajectory;
}

inline TrajectoryGroup GoodGroup() {
  TrajectoryGroup group;
  group.lease = GoodLease();
  group.trajectories = {GoodTrajectory(0), GoodTrajectory(1)};
  return group;
}

}  // namespace ponder::testing
