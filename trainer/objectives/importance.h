// Weights that correct for tokens sampled by another policy than the one the update starts from:
// pi_old / mu, with mu the behaviour policy (Espeholt et al., "IMPALA", 2018, section 4; Hilton et
// al., "Batch size-invariance for policy optimization", 2022, for the split into mu and pi_old).
#pragma once

#include <ATen/ATen.h>

#include <limits>

namespace ponder {

// What happens to a weight outside [min, max]: it moves to the nearer bound, or becomes 0.
enum class ImportanceRule { kTruncate, kMask };

struct ImportanceBounds {
  double min = 0.0;
  double max = std::numeric_limits<double>::infinity();
};

// exp(log_ratio), bounded by `rule`; without gradient. `log_ratio` = old - behaviour log-prob of
// each token, or their sum over each sequence for one weight per sequence. Any shape.
at::Tensor ImportanceWeights(const at::Tensor& log_ratio, ImportanceRule rule,
                             const ImportanceBounds& bounds);

}  // namespace ponder
