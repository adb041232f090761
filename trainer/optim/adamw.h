// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled weight decay
// regularization", ICLR 2019, algorithm 2), in the operation order of torch.optim.AdamW.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "core/config/experiment.h"

namespace ponder {

// State and arithmetic for one contiguous range of parameters. With gradient g, rate a and update t
// = 1, 2, ... :
//   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2
//   w = (1 - a decay) w - a (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
// Every parameter decays, norms and biases included. Element i depends on element i alone, so the
// result does not depend on how parameters are cut into ranges. Used by one thread.
class AdamW {
 public:
  // `master`: [n] float32 or float64, this range's weights; copied. Moments start at zero and have
  // the same dtype. Throws ConfigError unless there are two betas in [0, 1) and epsilon > 0.
  AdamW(const at::Tensor& master, const OptimizerConfig& config);

  // One update from `gradient` [n], multiplied by `gradient_scale` first.
  void Step(const at::Tensor& gradient, double gradient_scale, double learning_rate);

  const at::Tensor& master() const { return master_; }          // [n]
  const at::Tensor& exp_avg() const { return exp_avg_; }        // [n], m
  const at::Tensor& exp_avg_sq() const { return exp_avg_sq_; }  // [n], v
  int64_t num_updates() const { return num_updates_; }

  // For loading: the caller writes the three tensors in place and sets the count.
  void SetNumUpdates(int64_t num_updates) { num_updates_ = num_updates; }

 private:
  template <typename T>
  void StepTyped(const at::Tensor& gradient, double gradient_scale, double learning_rate);

  double beta1_;
  double beta2_;
  double epsilon_;
  double weight_decay_;
  at::Tensor master_;
  at::Tensor exp_avg_;
  at::Tensor exp_avg_sq_;
  int64_t num_updates_ = 0;
};

}  // namespace ponder
