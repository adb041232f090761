// From rewards to advantages: how much better an answer was than the others to the same prompt.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ponder {

// What the centred rewards are divided by.
//   kGroup  the deviation of the prompt's own group (GRPO: Shao et al., "DeepSeekMath", 2024,
//   section 4.1) kBatch  the deviation over all rewards of the step, still centred by group kNone
//   nothing (Dr. GRPO: Liu et al., "Understanding R1-Zero-like training", 2025)
enum class AdvantageStd { kGroup, kBatch, kNone };

// "group", "batch", "none". Throws ConfigError on another name.
AdvantageStd ParseAdvantageStd(std::string_view name);

struct AdvantageOptions {
  AdvantageStd std = AdvantageStd::kGroup;
  double epsilon = 1e-6;  // added to the deviation
  int ddof = 1;           // deviations divide by n - ddof: 1 is the unbiased variance
};

// Rewards of one prompt's answers; an absent one was not judged.
using GroupRewards = std::vector<std::optional<double>>;

// A_i = (r_i - mean of the group) / (deviation + epsilon), of the form of `rewards`. Absent rewards
// take part in no mean and no deviation and get 0. A group whose rewards are all equal, also a
// group of one, gets exactly 0 in every mode. Pure. Rewards must be finite.
std::vector<std::vector<double>> GroupAdvantages(const std::vector<GroupRewards>& rewards,
                                                 const AdvantageOptions& options);

// Are all present rewards equal? True for groups of one and for empty groups.
bool HasZeroVariance(const GroupRewards& rewards);

// Sum of weight * value over the sources that judged; absent when none did. Equal lengths.
std::optional<double> CombineRewards(std::span<const std::optional<double>> values,
                                     std::span<const double> weights);

// Mean and deviation of plain numbers in double, in order. Empty: 0; not more than `ddof`:
// deviation 0.
struct Moments {
  double mean = 0;
  double deviation = 0;
};
Moments MomentsOf(std::span<const double> values, int ddof);

}  // namespace ponder
