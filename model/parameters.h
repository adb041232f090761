// The parameters of one model as views into one flat buffer.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/weights/flat_layout.h"
#include "model/decoder_config.h"

namespace ponder {

// Owns the flat buffer and, when trainable, a flat gradient of the same form. Views share the
// storage, so writing the flat buffer changes the model. Used by one thread at a time. Not copied:
// a copy would share the weights.
class Parameters {
 public:
  // Zero weights. `dtype`: at::kFloat for training and sampling, at::kDouble in numerical tests.
  // `trainable`: leaves require gradients, which accumulate in place into the flat gradient.
  Parameters(const DecoderConfig& config, at::ScalarType dtype, bool trainable);
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  // Draws every weight: normal with config.init_std for matrices and embeddings, 0 for biases, 1
  // for norms. A pure function of (seed, tensor name, element index).
  void Initialize(uint64_t seed);

  const FlatLayout& layout() const { return layout_; }
  // The named tensor, in its own shape. Throws Error(kInternal) when absent.
  const at::Tensor& Get(std::string_view name) const;
  bool trainable() const { return trainable_; }

  // All elements in canonical order without padding: what ranges of ranks and of the optimizer
  // count.
  int64_t num_elements() const { return num_elements_; }
  // Copies between the padded flat buffer and [num_elements] in canonical order. `values` must have
  // the parameters' dtype.
  at::Tensor GatherValues() const;               // [num_elements]
  void ScatterValues(const at::Tensor& values);  // [num_elements]
  at::Tensor GatherGrad() const;                 // [num_elements]
  void ZeroGrad();

  // The flat buffer as bytes (float32 models only), for publishing and for loading. LoadBytes
  // throws Error(kBadData) when the size differs from the layout's.
  std::vector<char> ToBytes() const;
  void LoadBytes(std::string_view bytes);

 private:
  // The tensor's elements inside a flat buffer, one-dimensional.
  at::Tensor Slice(const at::Tensor& flat, const TensorSpec& spec) const;
  at::Tensor Gather(const at::Tensor& flat) const;

  FlatLayout layout_;
  double init_std_;
  bool trainable_;
  int64_t num_elements_ = 0;
  at::Tensor flat_;       // [total_bytes / element size]
  at::Tensor flat_grad_;  // same, when trainable
  std::map<std::string, at::Tensor, std::less<>> views_;
};

}  // namespace ponder
