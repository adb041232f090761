#include "trainer/objectives/policy_loss.h"

#include "core/base/error.h"

namespace ponder {

at::Tensor ProbabilityRatio(const at::Tensor& logprobs, const at::Tensor& old_logprobs) {
  return (logprobs - old_logprobs).clamp(-kMaxLogRatio, kMaxLogRatio).exp();
}

PolicyLoss ClippedPolicyLoss(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                             const at::Tensor& advantages, const ClipRange& clip) {
  PONDER_CHECK(logprobs.sizes() == old_logprobs.sizes() && logprobs.sizes() == advantages.sizes())
      << "policy loss of " << logprobs.numel() << " log-probs, " << old_logprobs.numel()
      << " old ones, " << advantages.numel() << " advantages";
  PolicyLoss result;
  result.ratio = ProbabilityRatio(logprobs, old_logprobs);
  const at::Tensor clipped = result.ratio.clamp(1.0 - clip.low, 1.0 + clip.high);
  result.loss = at::maximum(-result.ratio * advantages, -clipped * advantages);

  const at::Tensor ratio = result.ratio.detach();
  const at::Tensor negative = advantages < 0;
  const at::ScalarType dtype = result.loss.scalar_type();
  if (clip.dual) {
    PONDER_CHECK(*clip.dual > 1.0) << "dual clip must be above 1, got " << *clip.dual;
    result.loss =
        at::where(negative, at::minimum(result.loss, -*clip.dual * advantages), result.loss);
    result.clipped_dual = (negative & (ratio > *clip.dual)).to(dtype);
  } else {
    result.clipped_dual = at::zeros_like(ratio);
  }
  result.clipped_low = (negative & (ratio < 1.0 - clip.low)).to(dtype);
  result.clipped_high = ((advantages > 0) & (ratio > 1.0 + clip.high)).to(dtype);
  return result;
}

}  // namespace ponder
