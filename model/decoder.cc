#include "model/decoder.h"

#include <c10/core/GradMode.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "core/base/error.h"

namespace ponder {
namespace {

void CheckShape(const at::Tensor& tensor, at::IntArrayRef shape, const char* name) {
  bool fits = tensor.dim() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] < 0 || tensor.size(static_cast<int64_t>(i)) == shape[i];
  }
  PONDER_CHECK(fits) << "argument '" << name << "': expected shape " << shape << ", got "
                     << tensor.sizes();
}

// cos and sin of position * theta^(-2i / head_dim), computed in double whatever the dtype.
std::pair<at::Tensor, at::Tensor> RotaryTables(const DecoderConfig& config, at::ScalarType dtype) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  const at::Tensor exponents =
      at::arange(0, config.head_dim, 2, options) / static_cast<double>(config.head_dim);
  const at::Tensor frequencies = at::pow(at::Scalar(config.rope_theta), -exponents);
  const at::Tensor angles = at::outer(at::arange(config.max_positions, options), frequencies);
  return {at::cos(angles).to(dtype), at::sin(angles).to(dtype)};
}

}  // namespace

PackedTokens PackedTokens::FromSequences(std::span<const std::vector<uint32_t>> sequences) {
  PackedTokens packed;
  packed.cu_seqlens.push_back(0);
  for (const auto& sequence : sequences) {
    packed.cu_seqlens.push_back(packed.cu_seqlens.back() + static_cast<int64_t>(sequence.size()));
  }
  packed.token_ids = at::empty({packed.cu_seqlens.back()}, at::kLong);
  int64_t* out = packed.token_ids.mutable_data_ptr<int64_t>();
  for (const auto& sequence : sequences) out = std::copy(sequence.begin(), sequence.end(), out);
  return packed;
}

Decoder::Decoder(const DecoderConfig& config, const Parameters& parameters)
    : config_(config),
      embedding_(parameters.Get("model.embed_tokens.weight")),
      final_norm_(parameters.Get("model.norm.weight")),
      head_(config.tie_embeddings ? embedding_ : parameters.Get("lm_head.weight")) {
  for (int64_t i = 0; i < config.num_layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    const auto get = [&](const char* name) { return parameters.Get(layer + name); };
    LayerWeights w;
    w.input_norm = get("input_layernorm.weight");
    w.q = get("self_attn.q_proj.weight");
    w.k = get("self_attn.k_proj.weight");
    w.v = get("self_attn.v_proj.weight");
    if (config.qkv_bias) {
      w.q_bias = get("self_attn.q_proj.bias");
      w.k_bias = get("self_attn.k_proj.bias");
      w.v_bias = get("self_attn.v_proj.bias");
    }
    if (config.qk_norm) {
      w.q_norm = get("self_attn.q_norm.weight");
      w.k_norm = get("self_attn.k_norm.weight");
    }
    w.o = get("self_attn.o_proj.weight");
    w.post_norm = get("post_attention_layernorm.weight");
    w.gate = get("mlp.gate_proj.weight");
    w.up = get("mlp.up_proj.weight");
    w.down = get("mlp.down_proj.weight");
    layers_.push_back(std::move(w));
  }
  std::tie(cos_, sin_) = RotaryTables(config, dtype());
}

at::Tensor Decoder::Normalize(const at::Tensor& x, const at::Tensor& weight) const {
  return at::rms_norm(x, weight.sizes(), weight, config_.rms_norm_eps);
}

at::Tensor Decoder::Forward(const PackedTokens& tokens) const { return Run(tokens, nullptr); }

at::Tensor Decoder::Prefill(const std::vector<uint32_t>& prompt, KvCache& cache) const {
  const auto length = static_cast<int64_t>(prompt.size());
  PONDER_CHECK(cache.length == 0 && length <= cache.capacity())
      << "prefill: expected an empty cache with room for " << length << " tokens, got one of "
      << cache.length << " tokens and capacity " << cache.capacity();
  const c10::NoGradGuard no_grad;
  const at::Tensor hidden = Run(PackedTokens::FromSequences({&prompt, 1}), &cache);
  cache.length = length;
  return hidden.narrow(0, length - 1, 1);
}

at::Tensor Decoder::Run(const PackedTokens& tokens, KvCache* cache) const {
  const PackedShape shape(tokens.cu_seqlens);
  CheckShape(tokens.token_ids, {tokens.cu_seqlens.back()}, "token_ids");
  if (shape.max_length > config_.max_positions) {
    std::ostringstream text;
    text << "forward: expected sequences of at most " << config_.max_positions
         << " tokens (the model's context), got " << shape.max_length;
    throw Error(Condition::kBadData, text.str());
  }
  at::Tensor x = at::embedding(embedding_, tokens.token_ids);
  for (int64_t i = 0; i < config_.num_layers; ++i) {
    x = x + Attention(i, Normalize(x, layers_[i].input_norm), shape, cache);
    x = x + FeedForward(layers_[i], Normalize(x, layers_[i].post_norm));
  }
  return Normalize(x, final_norm_);
}

at::Tensor Decoder::Attention(int64_t layer, const at::Tensor& x, const PackedShape& shape,
                              KvCache* cache) const {
  const LayerWeights& w = layers_[layer];
  const int64_t num_heads = config_.num_heads;
  const int64_t num_kv_heads = config_.num_kv_heads;
  const int64_t num_all_heads = num_heads + 2 * num_kv_heads;
  // One product for q, k and v: joining the weights costs less than two more passes over x.
  const at::Tensor qkv =
      at::linear(x, at::cat({w.q, w.k, w.v}),
                 config_.qkv_bias ? at::cat({w.q_bias, w.k_bias, w.v_bias}) : at::Tensor());
  const at::Tensor heads = shape.Pad(qkv).unflatten(
      -1, {num_all_heads, config_.head_dim});  // [B, max, H + 2K, head_dim]
  at::Tensor q = heads.narrow(2, 0, num_heads);
  at::Tensor k = heads.narrow(2, num_heads, num_kv_heads);
  const at::Tensor v = heads.narrow(2, num_heads + num_kv_heads, num_kv_heads);
  if (config_.qk_norm) {
    q = Normalize(q, w.q_norm);
    k = Normalize(k, w.k_norm);
  }
  const at::Tensor cos = cos_.narrow(0, 0, shape.max_length).unsqueeze(1);
  const at::Tensor sin = sin_.narrow(0, 0, shape.max_length).unsqueeze(1);
  q = Rotate(q, cos, sin);
  k = Rotate(k, cos, sin);
  if (cache != nullptr) {
    // [1, length, K, head_dim] -> every row's [K, length, head_dim].
    cache->keys[layer].narrow(2, 0, shape.max_length).copy_(k.transpose(1, 2));
    cache->values[layer].narrow(2, 0, shape.max_length).copy_(v.transpose(1, 2));
  }
  return at::linear(shape.Unpad(CausalAttention(q, k, v)).flatten(1), w.o);
}

at::Tensor Decoder::FeedForward(const LayerWeights& w, const at::Tensor& x) const {
  return at::linear(at::silu(at::linear(x, w.gate)) * at::linear(x, w.up), w.down);
}

at::Tensor Decoder::Logits(const at::Tensor& hidden) const {
  CheckShape(hidden, {-1, config_.hidden_size}, "hidden");
  return at::linear(hidden, head_);
}

TokenScores ScoreTokens(const at::Tensor& logits, const at::Tensor& targets,
                        const at::Tensor& temperature) {
  CheckShape(logits, {-1, -1}, "logits");
  CheckShape(targets, {logits.size(0)}, "targets");
  CheckShape(temperature, {logits.size(0)}, "temperature");
  const at::Tensor all = at::log_softmax(logits / temperature.unsqueeze(1), -1);  // [M, V]
  TokenScores scores;
  scores.logprobs = all.gather(1, targets.unsqueeze(1)).squeeze(1);
  const c10::NoGradGuard no_grad;
  // A probability of 0 adds 0 to the entropy: its log must be finite for 0 * log 0 not to be NaN.
  const at::Tensor finite = all.detach().clamp_min(std::numeric_limits<float>::lowest());
  scores.entropy = -(finite.exp() * finite).sum(-1);
  return scores;
}

}  // namespace ponder
