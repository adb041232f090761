#include "model/decoder_config.h"

#include <array>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

struct PresetRow {
  std::string_view name;
  bool takes_vocabulary;  // of the task
  DecoderConfig config;
};

const std::array<PresetRow, 3>& Presets() {
  static const std::array<PresetRow, 3> kPresets = {{
      {"tiny",
       true,
       {.hidden_size = 64,
        .num_layers = 2,
        .num_heads = 4,
        .num_kv_heads = 4,
        .head_dim = 16,
        .intermediate_size = 208,
        .max_positions = 256,
        .init_std = 0.1}},
      {"10m",
       false,
       {.vocab_size = 4096,
        .hidden_size = 320,
        .num_layers = 7,
        .num_heads = 5,
        .num_kv_heads = 1,
        .head_dim = 64,
        .intermediate_size = 1024,
        .max_positions = 1024}},
      {"0.5b",
       false,
       {.vocab_size = 151936,
        .hidden_size = 896,
        .num_layers = 24,
        .num_heads = 14,
        .num_kv_heads = 2,
        .head_dim = 64,
        .intermediate_size = 4864,
        .max_positions = 4096,
        .rope_theta = 1e6}},
  }};
  return kPresets;
}

}  // namespace

DecoderConfig DecoderConfig::Preset(std::string_view name, int64_t vocab_size) {
  std::string known;
  for (const PresetRow& row : Presets()) {
    known += (known.empty() ? "" : ", ") + std::string(row.name);
    if (row.name != name) continue;
    DecoderConfig config = row.config;
    if (row.takes_vocabulary) config.vocab_size = vocab_size;
    if (vocab_size < 1 || vocab_size > config.vocab_size) {
      std::ostringstream text;
      text << "model preset '" << name << "': expected a vocabulary of 1 to " << config.vocab_size
           << " tokens, got " << vocab_size;
      throw ConfigError(text.str());
    }
    return config;
  }
  throw ConfigError("model preset: expected one of " + known + "; got '" + std::string(name) + "'");
}

FlatLayout DecoderConfig::Layout(DType dtype) const {
  std::vector<TensorSpec> tensors;
  const auto add = [&](std::string name, std::vector<int64_t> shape) {
    TensorSpec spec{.name = std::move(name), .dtype = dtype, .shape = {}};
    for (const int64_t size : shape) spec.shape.push_back(static_cast<uint64_t>(size));
    tensors.push_back(std::move(spec));
  };
  const int64_t query_size = num_heads * head_dim;
  const int64_t kv_size = num_kv_heads * head_dim;
  add("model.embed_tokens.weight", {vocab_size, hidden_size});
  for (int64_t i = 0; i < num_layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    const auto projection = [&](const std::string& name, int64_t size) {
      add(layer + "self_attn." + name + ".weight", {size, hidden_size});
      if (qkv_bias) add(layer + "self_attn." + name + ".bias", {size});
    };
    add(layer + "input_layernorm.weight", {hidden_size});
    projection("q_proj", query_size);
    projection("k_proj", kv_size);
    projection("v_proj", kv_size);
    add(layer + "self_attn.o_proj.weight", {hidden_size, query_size});
    if (qk_norm) {
      add(layer + "self_attn.q_norm.weight", {head_dim});
      add(layer + "self_attn.k_norm.weight", {head_dim});
    }
    add(layer + "post_attention_layernorm.weight", {hidden_size});
    add(layer + "mlp.gate_proj.weight", {intermediate_size, hidden_size});
    add(layer + "mlp.up_proj.weight", {intermediate_size, hidden_size});
    add(layer + "mlp.down_proj.weight", {hidden_size, intermediate_size});
  }
  add("model.norm.weight", {hidden_size});
  if (!tie_embeddings) add("lm_head.weight", {vocab_size, hidden_size});
  return FlatLayout::FromTensors(std::move(tensors));
}

int64_t DecoderConfig::num_parameters() const {
  const FlatLayout layout = Layout(DType::kF32);
  int64_t total = 0;
  for (const TensorSpec& tensor : layout.tensors()) {
    total += static_cast<int64_t>(tensor.num_elements());
  }
  return total;
}

}  // namespace ponder
