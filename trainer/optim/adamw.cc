#include "trainer/optim/adamw.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "core/base/error.h"

namespace ponder {
namespace {

// Elements per task of a parallel loop: enough to be worth a thread.
constexpr int64_t kGrain = 1 << 16;

}  // namespace

AdamW::AdamW(const at::Tensor& master, const OptimizerConfig& config)
    : epsilon_(config.epsilon), weight_decay_(config.weight_decay) {
  if (config.betas.size() != 2) {
    throw ConfigError("making AdamW: expected 2 betas, got " + std::to_string(config.betas.size()));
  }
  beta1_ = config.betas[0];
  beta2_ = config.betas[1];
  for (const double beta : config.betas) {
    if (!(beta >= 0.0 && beta < 1.0)) {
      throw ConfigError("making AdamW: expected betas in [0, 1), got " + std::to_string(beta));
    }
  }
  if (!(epsilon_ > 0.0)) {
    throw ConfigError("making AdamW: expected epsilon above 0, got " + std::to_string(epsilon_));
  }
  PONDER_CHECK(master.dim() == 1 &&
               (master.scalar_type() == at::kFloat || master.scalar_type() == at::kDouble))
      << "master weights: expected [n] of float32 or float64";
  master_ = master.detach().clone(at::MemoryFormat::Contiguous);
  exp_avg_ = at::zeros_like(master_);
  exp_avg_sq_ = at::zeros_like(master_);
}

void AdamW::Step(const at::Tensor& gradient, double gradient_scale, double learning_rate) {
  PONDER_CHECK(gradient.sizes() == master_.sizes() &&
               gradient.scalar_type() == master_.scalar_type() && gradient.is_contiguous())
      << "gradient: expected the shape and dtype of the weights, " << master_.numel()
      << " elements, got " << gradient.numel();
  ++num_updates_;
  if (master_.scalar_type() == at::kDouble) {
    StepTyped<double>(gradient, gradient_scale, learning_rate);
  } else {
    StepTyped<float>(gradient, gradient_scale, learning_rate);
  }
}

template <typename T>
void AdamW::StepTyped(const at::Tensor& gradient, double gradient_scale, double learning_rate) {
  // Scalars are made in double and rounded once; the moments and weights stay in T.
  const auto updates = static_cast<double>(num_updates_);
  const double correction1 = 1.0 - std::pow(beta1_, updates);
  const double correction2 = 1.0 - std::pow(beta2_, updates);
  const T scale = static_cast<T>(gradient_scale);
  const T beta1 = static_cast<T>(beta1_);
  const T one_minus_beta1 = static_cast<T>(1.0 - beta1_);
  const T beta2 = static_cast<T>(beta2_);
  const T one_minus_beta2 = static_cast<T>(1.0 - beta2_);
  const T decay = static_cast<T>(1.0 - learning_rate * weight_decay_);
  const T step_size = static_cast<T>(learning_rate / correction1);
  const T inverse_root2 = static_cast<T>(1.0 / std::sqrt(correction2));
  const T epsilon = static_cast<T>(epsilon_);

  const T* g = gradient.const_data_ptr<T>();
  T* w = master_.mutable_data_ptr<T>();
  T* m = exp_avg_.mutable_data_ptr<T>();
  T* v = exp_avg_sq_.mutable_data_ptr<T>();
  at::parallel_for(0, master_.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T gi = g[i] * scale;
      m[i] = beta1 * m[i] + one_minus_beta1 * gi;
      v[i] = beta2 * v[i] + one_minus_beta2 * gi * gi;
      const T root = std::sqrt(v[i]) * inverse_root2 + epsilon;
      w[i] = decay * w[i] - step_size * (m[i] / root);
    }
  });
}

}  // namespace ponder
