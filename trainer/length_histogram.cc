#include "trainer/length_histogram.h"

#include <algorithm>

namespace ponder {

LengthHistogram HistogramOfLengths(const std::vector<TrajectoryGroup>& groups,
                                   int64_t max_new_tokens) {
  constexpr uint64_t kMaxBins = 32;
  const auto longest = static_cast<uint64_t>(max_new_tokens);
  LengthHistogram histogram;
  histogram.bin_tokens = (longest + kMaxBins - 1) / kMaxBins;
  histogram.counts.assign((longest + histogram.bin_tokens - 1) / histogram.bin_tokens, 0);
  for (const TrajectoryGroup& group : groups) {
    for (const Trajectory& trajectory : group.trajectories) {
      if (trajectory.greedy) continue;
      const uint64_t length = std::clamp<uint64_t>(trajectory.NumSampledTokens(), 1, longest);
      ++histogram.counts[(length - 1) / histogram.bin_tokens];
    }
  }
  return histogram;
}

}  // namespace ponder
