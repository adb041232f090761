#include "trainer/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ponder {
namespace {

constexpr double kZ95 = 1.959963984540054;  // 97.5 % point of the normal distribution

}  // namespace

bool IsRight(const Trajectory& trajectory) {
  double full = 0;
  for (const SourceReward& reward : trajectory.rewards) full += std::max(0.0, reward.weight);
  return full > 0 && trajectory.TotalReward() >= full * (1.0 - 1e-9);
}

Interval WilsonInterval(double successes, double trials) {
  const double share = successes / trials;
  const double z2 = kZ95 * kZ95;
  const double center = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const double half = kZ95 / (1 + z2 / trials) *
                      std::sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials));
  return {share, std::max(0.0, center - half), std::min(1.0, center + half)};
}

Interval ClusteredInterval(const std::vector<double>& prompt_means) {
  const auto count = static_cast<double>(prompt_means.size());
  const double mean = std::accumulate(prompt_means.begin(), prompt_means.end(), 0.0) / count;
  double squares = 0;
  for (const double value : prompt_means) squares += (value - mean) * (value - mean);
  if (squares == 0.0) return WilsonInterval(mean * count, count);
  const double half = kZ95 * std::sqrt(squares / (count - 1) / count);
  return {mean, std::max(0.0, mean - half), std::min(1.0, mean + half)};
}

EvaluationSummary Summarize(const std::vector<TrajectoryGroup>& groups) {
  EvaluationSummary summary;
  std::vector<double> prompt_means;
  double greedy_right = 0;
  double greedy_count = 0;
  double length = 0;
  double rows = 0;
  for (const TrajectoryGroup& group : groups) {
    if (group.trajectories.empty()) {
      ++summary.failed_groups;
      continue;
    }
    ++summary.num_prompts;
    double right = 0;
    double sampled = 0;
    for (const Trajectory& trajectory : group.trajectories) {
      if (trajectory.greedy) {
        greedy_right += IsRight(trajectory) ? 1 : 0;
        ++greedy_count;
        continue;
      }
      right += IsRight(trajectory) ? 1 : 0;
      ++sampled;
      length += trajectory.NumSampledTokens();
      ++rows;
    }
    if (sampled > 0) prompt_means.push_back(right / sampled);
  }
  if (!prompt_means.empty()) {
    const auto prompts = static_cast<double>(prompt_means.size());
    summary.sampled =
        rows > prompts
            ? ClusteredInterval(prompt_means)
            : WilsonInterval(std::accumulate(prompt_means.begin(), prompt_means.end(), 0.0),
                             prompts);
  }
  if (greedy_count > 0) {
    summary.has_greedy = true;
    summary.greedy = WilsonInterval(greedy_right, greedy_count);
  }
  if (rows > 0) summary.response_length = length / rows;
  return summary;
}

std::map<std::string, double> EvaluationMetrics(const EvaluationSummary& summary) {
  std::map<std::string, double> metrics{
      {"val/prompts", static_cast<double>(summary.num_prompts)},
      {"val/failed_groups", static_cast<double>(summary.failed_groups)},
  };
  // Without an answer there is no share: a failure to sample or to judge is never one of 0.
  if (summary.num_prompts > 0) {
    metrics["val/sampled"] = summary.sampled.value;
    metrics["val/sampled_low"] = summary.sampled.low;
    metrics["val/sampled_high"] = summary.sampled.high;
    metrics["val/response_length"] = summary.response_length;
  }
  if (summary.has_greedy) {
    metrics["val/greedy"] = summary.greedy.value;
    metrics["val/greedy_low"] = summary.greedy.low;
    metrics["val/greedy_high"] = summary.greedy.high;
  }
  return metrics;
}

}  // namespace ponder
