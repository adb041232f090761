// The clipped policy-gradient objective (PPO: Schulman et al., 2017, equation 7), with separate
// bounds (DAPO: Yu et al., 2025, equation 10) and the dual clip (Ye et al., "Mastering complex
// control in MOBA games", 2020, equation 5).
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace ponder {

// Log-ratios beyond this are cut before exp: e^20 is far outside any clip range and still finite.
inline constexpr double kMaxLogRatio = 20.0;

// exp of log-probability differences, cut to [-kMaxLogRatio, kMaxLogRatio]. Any shape.
at::Tensor ProbabilityRatio(const at::Tensor& logprobs, const at::Tensor& old_logprobs);

struct ClipRange {
  double low = 0.2;  // the ratio is clipped to [1 - low, 1 + high]
  double high = 0.2;
  // c > 1: where the advantage is negative, the loss of a token is at most c * |advantage|. Absent:
  // no such bound, and a ratio that explodes gives a loss that explodes.
  std::optional<double> dual;
};

// All of the shape of the inputs. The indicators are 1 or 0 in the dtype of the loss, without
// gradient; a token counts where clipping took its gradient away.
struct PolicyLoss {
  at::Tensor loss;          // to be minimised
  at::Tensor ratio;         // carries gradient
  at::Tensor clipped_low;   // ratio < 1 - low with a negative advantage
  at::Tensor clipped_high;  // ratio > 1 + high with a positive advantage
  at::Tensor clipped_dual;  // ratio > dual with a negative advantage
};

// loss = -min(ratio A, clip(ratio) A), bounded by the dual clip. `logprobs` carries gradient, the
// other two are constants. Equal shapes.
PolicyLoss ClippedPolicyLoss(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                             const at::Tensor& advantages, const ClipRange& clip);

}  // namespace ponder
