// Estimates of the Kullback-Leibler divergence from single samples (Schulman, "Approximating KL
// divergence", 2020).
#pragma once

#include <ATen/ATen.h>

namespace ponder {

// With q = reference - logprobs and samples of the policy that gave `logprobs`:
//   k1  -q            unbiased for KL(policy || reference); its gradient as a loss is zero on
//   average k2  q^2 / 2       small bias in value; its gradient is that of KL(policy || reference)
//   per step k3  e^q - q - 1   unbiased, never negative, low variance; its gradient is that of
//   KL(reference || policy)
enum class KlEstimator { kK1, kK2, kK3 };

// Per token, of the shape of the inputs; carries the gradient of `logprobs`. For k3, q is cut to
// [-kMaxLogRatio, kMaxLogRatio] inside the exponential only.
at::Tensor EstimateKl(KlEstimator estimator, const at::Tensor& logprobs,
                      const at::Tensor& reference_logprobs);

}  // namespace ponder
