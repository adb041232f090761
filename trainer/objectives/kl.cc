#include "trainer/objectives/kl.h"

#include "core/base/error.h"
#include "trainer/objectives/policy_loss.h"

namespace ponder {

at::Tensor EstimateKl(KlEstimator estimator, const at::Tensor& logprobs,
                      const at::Tensor& reference_logprobs) {
  const at::Tensor q = reference_logprobs - logprobs;
  switch (estimator) {
    case KlEstimator::kK1:
      return -q;
    case KlEstimator::kK2:
      return q * q * 0.5;
    case KlEstimator::kK3:
      // expm1 keeps the digits where the policies are close, which is where they usually are.
      return q.clamp(-kMaxLogRatio, kMaxLogRatio).expm1() - q;
  }
  PONDER_CHECK(false) << "unknown estimator";
  return {};
}

}  // namespace ponder
