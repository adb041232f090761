// What the groups of an evaluation say about the policy.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace ponder {

// A share and its 95 % interval.
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};

// Wilson's score interval for `successes` of `trials` (Wilson 1927). trials >= 1.
Interval WilsonInterval(double successes, double trials);

// Mean of per-prompt means with the normal interval of clustered samples: samples of one prompt are
// not independent. Falls back to Wilson over prompts when all prompts agree. Not empty.
Interval ClusteredInterval(const std::vector<double>& prompt_means);

struct EvaluationSummary {
  uint64_t num_prompts = 0;    // with a group
  uint64_t failed_groups = 0;  // empty ones, by any reason; outside the shares
  bool has_greedy = false;
  Interval sampled;  // share of right answers at the evaluation's temperature
  Interval greedy;
  double response_length = 0;  // mean sampled tokens of the sampled rows
};

// A row is right when its total reward is at least the sum of the positive weights of its sources.
bool IsRight(const Trajectory& trajectory);

// The share of right samples has the interval of clustered samples, or Wilson's when every prompt
// has one sample.
EvaluationSummary Summarize(const std::vector<TrajectoryGroup>& groups);

// The summary under the metrics' names.
std::map<std::string, double> EvaluationMetrics(const EvaluationSummary& summary);

}  // namespace ponder
