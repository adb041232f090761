// How long the responses of a step are.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/types.h"

namespace ponder {

// At most 32 bins of equal width over 1 .. max_new_tokens, so that the bins are the same in every
// step of a stage.
struct LengthHistogram {
  uint64_t bin_tokens = 1;       // width of a bin
  std::vector<uint64_t> counts;  // bin i: i * bin_tokens + 1 to (i + 1) * bin_tokens sampled tokens
};

// Over the rows that are not greedy. An empty response counts in the first bin, a longer one than
// max_new_tokens in the last. max_new_tokens >= 1.
LengthHistogram HistogramOfLengths(const std::vector<TrajectoryGroup>& groups,
                                   int64_t max_new_tokens);

}  // namespace ponder
