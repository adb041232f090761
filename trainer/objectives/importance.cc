#include "trainer/objectives/importance.h"

#include "trainer/objectives/policy_loss.h"

namespace ponder {

at::Tensor ImportanceWeights(const at::Tensor& log_ratio, ImportanceRule rule,
                             const ImportanceBounds& bounds) {
  const at::Tensor weight = log_ratio.detach().clamp(-kMaxLogRatio, kMaxLogRatio).exp();
  if (rule == ImportanceRule::kTruncate) return weight.clamp(bounds.min, bounds.max);
  return weight.masked_fill((weight < bounds.min) | (weight > bounds.max), 0.0);
}

}  // namespace ponder
