// What every algorithm that samples reads from its groups.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "trainer/algorithms/example.h"

namespace ponder {

// The trajectories of a group that may be trained on: those not decoded greedily, as indices.
std::vector<size_t> TrainedRows(const TrajectoryGroup& group);

// [N], 1 where the policy sampled the token, by the segments.
std::vector<uint8_t> SampledMask(const Trajectory& trajectory);

// Tokens, temperature, sampled mask and behaviour log-probs; weights are 0 and the other streams
// empty.
Example ExampleOf(const Trajectory& trajectory);

// Adds reward/mean, reward/std (unbiased), reward/source/NAME (mean of the unweighted value),
// reward/zero_variance_groups (share), response_length/mean, /min, /max (sampled tokens) and
// response_length/clip_ratio (share that ran out of tokens), over the trained rows of all groups.
// Adds nothing when there are none. A verdict that is not a score throws Error(kInternal).
void AddRolloutMetrics(const std::vector<TrajectoryGroup>& groups,
                       std::map<std::string, double>* metrics);

}  // namespace ponder
