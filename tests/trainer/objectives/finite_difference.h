// Derivatives by central differences, for comparison with autograd.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <functional>

namespace ponder {

// A scalar tensor from a tensor of any shape, float64.
using ScalarFunction = std::function<at::Tensor(const at::Tensor&)>;

// d f / d x at `x` by autograd.
inline at::Tensor AutogradOf(const ScalarFunction& f, const at::Tensor& x) {
  const at::Tensor leaf = x.detach().clone().requires_grad_();
  f(leaf).backward();
  return leaf.grad();
}

// The same by central differences, one element after the other.
inline at::Tensor CentralDifferences(const ScalarFunction& f, const at::Tensor& x,
                                     double step = 1e-6) {
  const at::NoGradGuard no_grad;
  const at::Tensor gradient = at::zeros_like(x);
  const at::Tensor moved = x.detach().clone(at::MemoryFormat::Contiguous);
  auto* value = moved.mutable_data_ptr<double>();
  auto* out = gradient.mutable_data_ptr<double>();
  for (int64_t i = 0; i < moved.numel(); ++i) {
    const double at_x = value[i];
    value[i] = at_x + step;
    const double above = f(moved).item<double>();
    value[i] = at_x - step;
    const double below = f(moved).item<double>();
    value[i] = at_x;
    out[i] = (above - below) / (2 * step);
  }
  return gradient;
}

inline void ExpectGradientMatchesDifferences(const ScalarFunction& f, const at::Tensor& x) {
  const at::Tensor autograd = AutogradOf(f, x);
  const at::Tensor differences = CentralDifferences(f, x);
  EXPECT_TRUE(at::allclose(autograd, differences, /*rtol=*/1e-6, /*atol=*/1e-8))
      << "autograd\n"
      << autograd << "\ncentral differences\n"
      << differences;
}

}  // namespace ponder
