#include "trainer/algorithms/rollouts.h"

#include <algorithm>

#include "core/base/error.h"
#include "trainer/objectives/advantages.h"

namespace ponder {

std::vector<size_t> TrainedRows(const TrajectoryGroup& group) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < group.trajectories.size(); ++row) {
    if (!group.trajectories[row].greedy) rows.push_back(row);
  }
  return rows;
}

std::vector<uint8_t> SampledMask(const Trajectory& trajectory) {
  const size_t num_tokens = trajectory.token_ids.size();
  std::vector<uint8_t> mask(num_tokens, 0);
  for (size_t i = 0; i < trajectory.segments.size(); ++i) {
    if (trajectory.segments[i].kind != SegmentKind::kSampled) continue;
    const size_t begin = trajectory.segments[i].begin;
    const size_t end =
        i + 1 < trajectory.segments.size() ? trajectory.segments[i + 1].begin : num_tokens;
    PONDER_CHECK(0 < begin && begin <= end && end <= num_tokens)
        << "sampled segment [" << begin << ", " << end << ") of " << num_tokens
        << " tokens: the first token has no prediction";
    std::fill(mask.begin() + static_cast<std::ptrdiff_t>(begin),
              mask.begin() + static_cast<std::ptrdiff_t>(end), uint8_t{1});
  }
  return mask;
}

Example ExampleOf(const Trajectory& trajectory) {
  const size_t num_tokens = trajectory.token_ids.size();
  PONDER_CHECK(trajectory.behavior_logprobs.size() == num_tokens)
      << trajectory.behavior_logprobs.size() << " behaviour log-probs for " << num_tokens
      << " tokens";
  Example example;
  example.ordinal = trajectory.ordinal;
  example.sample_index = trajectory.sample_index;
  example.token_ids = trajectory.token_ids;
  example.temperature = trajectory.temperature;
  example.sampled = SampledMask(trajectory);
  example.weight.assign(num_tokens, 0.0);
  example.behavior_logprob.assign(trajectory.behavior_logprobs.begin(),
                                  trajectory.behavior_logprobs.end());
  return example;
}

void AddRolloutMetrics(const std::vector<TrajectoryGroup>& groups,
                       std::map<std::string, double>* metrics) {
  std::vector<double> rewards;
  std::vector<double> lengths;
  std::map<std::string, double> sources;
  double zero_variance_groups = 0;
  double clipped = 0;
  for (const TrajectoryGroup& group : groups) {
    GroupRewards group_rewards;
    for (const size_t row : TrainedRows(group)) {
      const Trajectory& trajectory = group.trajectories[row];
      for (const SourceReward& source : trajectory.rewards) {
        PONDER_CHECK(source.verdict == VerdictKind::kScored)
            << "source '" << source.source << "' did not score sample " << trajectory.sample_index
            << " of prompt " << trajectory.ordinal << ": such a group is dropped before training";
        sources[source.source] += source.value;
      }
      rewards.push_back(trajectory.TotalReward());
      group_rewards.emplace_back(rewards.back());
      lengths.push_back(trajectory.NumSampledTokens());
      clipped += trajectory.finish_reason == FinishReason::kLength ? 1.0 : 0.0;
    }
    zero_variance_groups += HasZeroVariance(group_rewards) ? 1.0 : 0.0;
  }
  if (rewards.empty()) return;
  const auto count = static_cast<double>(rewards.size());
  const Moments reward = MomentsOf(rewards, /*ddof=*/1);
  (*metrics)["reward/mean"] = reward.mean;
  (*metrics)["reward/std"] = reward.deviation;
  (*metrics)["reward/zero_variance_groups"] =
      zero_variance_groups / static_cast<double>(groups.size());
  for (const auto& [name, sum] : sources) (*metrics)["reward/source/" + name] = sum / count;
  const auto [shortest, longest] = std::minmax_element(lengths.begin(), lengths.end());
  (*metrics)["response_length/mean"] = MomentsOf(lengths, /*ddof=*/1).mean;
  (*metrics)["response_length/min"] = *shortest;
  (*metrics)["response_length/max"] = *longest;
  (*metrics)["response_length/clip_ratio"] = clipped / count;
}

}  // namespace ponder
