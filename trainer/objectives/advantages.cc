#include "trainer/objectives/advantages.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"

namespace ponder {
namespace {

std::vector<double> Present(const GroupRewards& rewards) {
  std::vector<double> present;
  for (const std::optional<double>& reward : rewards) {
    if (reward) present.push_back(*reward);
  }
  return present;
}

}  // namespace

AdvantageStd ParseAdvantageStd(std::string_view name) {
  if (name == "group") return AdvantageStd::kGroup;
  if (name == "batch") return AdvantageStd::kBatch;
  if (name == "none") return AdvantageStd::kNone;
  throw ConfigError("reading advantage_std: expected group, batch or none, got '" +
                    std::string(name) + "'");
}

Moments MomentsOf(std::span<const double> values, int ddof) {
  Moments moments;
  if (values.empty()) return moments;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) moments.mean += value;
  moments.mean /= count;
  if (count <= ddof) return moments;
  double squares = 0;
  for (const double value : values) squares += (value - moments.mean) * (value - moments.mean);
  moments.deviation = std::sqrt(squares / (count - ddof));
  return moments;
}

bool HasZeroVariance(const GroupRewards& rewards) {
  const std::vector<double> present = Present(rewards);
  return std::all_of(present.begin(), present.end(),
                     [&](double reward) { return reward == present.front(); });
}

std::vector<std::vector<double>> GroupAdvantages(const std::vector<GroupRewards>& rewards,
                                                 const AdvantageOptions& options) {
  double batch_deviation = 0;
  if (options.std == AdvantageStd::kBatch) {
    std::vector<double> all;
    for (const GroupRewards& group : rewards) {
      const std::vector<double> present = Present(group);
      all.insert(all.end(), present.begin(), present.end());
    }
    batch_deviation = MomentsOf(all, options.ddof).deviation;
  }

  std::vector<std::vector<double>> advantages;
  for (const GroupRewards& group : rewards) {
    std::vector<double>& result = advantages.emplace_back(group.size(), 0.0);
    // The mean of equal numbers may differ from them in the last bit, which a tiny deviation would
    // blow up.
    if (HasZeroVariance(group)) continue;
    const Moments moments = MomentsOf(Present(group), options.ddof);
    double divisor = 1.0;
    if (options.std == AdvantageStd::kGroup) divisor = moments.deviation + options.epsilon;
    if (options.std == AdvantageStd::kBatch) divisor = batch_deviation + options.epsilon;
    for (size_t i = 0; i < group.size(); ++i) {
      if (group[i]) result[i] = (*group[i] - moments.mean) / divisor;
    }
  }
  return advantages;
}

std::optional<double> CombineRewards(std::span<const std::optional<double>> values,
                                     std::span<const double> weights) {
  PONDER_CHECK(values.size() == weights.size())
      << values.size() << " rewards with " << weights.size() << " weights";
  std::optional<double> sum;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i]) sum = sum.value_or(0.0) + weights[i] * *values[i];
  }
  return sum;
}

}  // namespace ponder
