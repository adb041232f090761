// Decoder::Step: the hot loop of sampling. Projections are matrix products of LibTorch; everything
// between them is a loop of decode_kernels.h. No autograd, no views, no reference to earlier steps.
#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/GradMode.h>

#include <sstream>
#include <vector>

#include "core/base/error.h"
#include "model/decode_kernels.h"
#include "model/decoder.h"

namespace ponder {
namespace {

// x weight' (+ bias).
at::Tensor Project(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return bias.defined() ? at::addmm(bias, x, weight.t()) : at::mm(x, weight.t());
}

}  // namespace

KvCache::KvCache(const DecoderConfig& config, at::ScalarType dtype, int64_t num_rows,
                 int64_t capacity) {
  PONDER_CHECK(num_rows >= 1 && capacity >= 1 && capacity <= config.max_positions)
      << "key/value cache: expected at least one row and a capacity of 1 to "
      << config.max_positions << " positions (the model's context), got " << num_rows
      << " rows and " << capacity;
  for (int64_t i = 0; i < config.num_layers; ++i) {
    for (auto* side : {&keys, &values}) {
      side->push_back(at::empty({num_rows, config.num_kv_heads, capacity, config.head_dim},
                                at::TensorOptions().dtype(dtype)));
    }
  }
}

at::Tensor Decoder::Step(const at::Tensor& token_ids, KvCache& cache) const {
  PONDER_CHECK(token_ids.dim() == 1 && token_ids.size(0) == cache.num_rows())
      << "argument 'token_ids': expected shape [" << cache.num_rows() << "], got "
      << token_ids.sizes();
  PONDER_CHECK(cache.length < cache.capacity())
      << "decode step: expected room in the cache, got " << cache.length << " of "
      << cache.capacity() << " positions filled";
  PONDER_CHECK(cache.keys.front().scalar_type() == dtype())
      << "decode step: expected a cache of " << at::toString(dtype()) << ", got "
      << at::toString(cache.keys.front().scalar_type());
  const c10::NoGradGuard no_grad;
  const at::AutoDispatchBelowADInplaceOrView no_tracking;
  at::Tensor hidden = dtype() == at::kFloat ? StepTyped<float>(token_ids, cache)
                                            : StepTyped<double>(token_ids, cache);
  ++cache.length;
  return hidden;
}

template <typename T>
at::Tensor Decoder::StepTyped(const at::Tensor& token_ids, KvCache& cache) const {
  const CacheShape shape{.num_rows = cache.num_rows(),
                         .num_heads = config_.num_heads,
                         .num_kv_heads = config_.num_kv_heads,
                         .head_dim = config_.head_dim,
                         .capacity = cache.capacity()};
  const int64_t position = cache.length;
  const T* cos = cos_.const_data_ptr<T>() + position * config_.head_dim / 2;
  const T* sin = sin_.const_data_ptr<T>() + position * config_.head_dim / 2;
  const auto normalize = [&](const at::Tensor& x, const at::Tensor& weight, at::Tensor& out) {
    RmsNormRows(x.const_data_ptr<T>(), weight.const_data_ptr<T>(), x.numel() / weight.numel(),
                weight.numel(), config_.rms_norm_eps, out.mutable_data_ptr<T>());
  };
  std::vector<T> probs(position + 1);

  at::Tensor x = at::index_select(embedding_, 0, token_ids);  // [G, D]
  at::Tensor h = at::empty_like(x);                           // [G, D]
  at::Tensor attended = at::empty({shape.num_rows, shape.num_heads * shape.head_dim}, x.options());
  for (int64_t i = 0; i < config_.num_layers; ++i) {
    const LayerWeights& w = layers_[i];
    normalize(x, w.input_norm, h);
    at::Tensor q = Project(h, w.q, w.q_bias);        // [G, H * head_dim]
    at::Tensor k = Project(h, w.k, w.k_bias);        // [G, K * head_dim]
    const at::Tensor v = Project(h, w.v, w.v_bias);  // [G, K * head_dim]
    if (config_.qk_norm) {
      normalize(q, w.q_norm, q);
      normalize(k, w.k_norm, k);
    }
    T* q_data = q.mutable_data_ptr<T>();
    T* k_data = k.mutable_data_ptr<T>();
    T* keys = cache.keys[i].mutable_data_ptr<T>();
    T* values = cache.values[i].mutable_data_ptr<T>();
    RotateRows(cos, sin, shape.num_rows * shape.num_heads, shape.head_dim, q_data);
    RotateRows(cos, sin, shape.num_rows * shape.num_kv_heads, shape.head_dim, k_data);
    StorePosition(shape, position, k_data, keys);
    StorePosition(shape, position, v.const_data_ptr<T>(), values);
    AttendRows(shape, position + 1, q_data, keys, values, probs.data(),
               attended.mutable_data_ptr<T>());
    x.addmm_(attended, w.o.t());

    normalize(x, w.post_norm, h);
    at::Tensor gate = Project(h, w.gate, {});    // [G, ffn]
    const at::Tensor up = Project(h, w.up, {});  // [G, ffn]
    x.addmm_(at::silu_(gate).mul_(up), w.down.t());
  }
  normalize(x, final_norm_, x);
  return x;
}

}  // namespace ponder
