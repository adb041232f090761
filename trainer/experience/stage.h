// What is sampled: a stage of training steps or an evaluation, and where a stage stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace ponder {

// A stage that samples.
struct SampledStage {
  std::string name;
  uint16_t stream = 0;
  std::string model;
  std::string reward_set;
  SamplingParams sampling;
  int64_t num_steps = 0;
  int64_t slots_per_step = 0;
  int64_t max_staleness = 0;
  uint64_t first_version = 0;  // v0: the version published before step 0
};

// Where a stage stands; what a checkpoint saves. `stored` holds groups that were sampled under
// versions older than the checkpoint's and could not be sampled again.
struct StageProgress {
  int64_t next_step = 0;
  uint64_t frontier = 0;  // next prompt index (eta = 0)
  std::vector<TrajectoryGroup> stored;
};

struct SampledEvaluation {
  std::string name;
  uint16_t stream = 0;
  std::string stage;
  std::string reward_set;
  SamplingParams sampling;
  uint64_t num_prompts = 0;
  ModelIdentity model;
};

}  // namespace ponder
