// The architecture of a decoder: what config.json of a model folder says. No LibTorch in this
// header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/weights/flat_layout.h"

namespace ponder {

// Llama, Qwen2, Qwen3 and the presets are settings of one family: RMSNorm, rotary positions,
// grouped-query attention, SwiGLU.
struct DecoderConfig {
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;        // D
  int64_t num_layers = 0;         // L
  int64_t num_heads = 0;          // H
  int64_t num_kv_heads = 0;       // K
  int64_t head_dim = 0;           // even
  int64_t intermediate_size = 0;  // ffn
  int64_t max_positions = 0;      // context
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  bool qkv_bias = true;  // on q, k and v; never on o
  bool qk_norm = false;  // RMSNorm over each head of q and k, before the rotation
  bool tie_embeddings = true;
  double init_std = 0.02;
  bool operator==(const DecoderConfig&) const = default;

  // A named preset ("tiny", "10m", "0.5b"); `vocab_size` replaces the preset's where the preset
  // takes the task's, and must fit into the preset's otherwise. Throws Error(kConfig) on an unknown
  // name, listing the presets.
  static DecoderConfig Preset(std::string_view name, int64_t vocab_size);

  // config.json of a model folder whose model_type is qwen2 (biases on q, k, v), qwen3 (norms of q
  // and k) or llama (neither), without rope scaling, sliding windows or other biases. Keys that say
  // nothing about the numbers are ignored; duplicate keys are refused. Throws Error(kBadData)
  // naming the key.
  static DecoderConfig FromJson(std::string_view json);
  // The inverse. Throws Error(kBadData) for qkv_bias together with qk_norm, which no model_type
  // has.
  std::string ToJson() const;

  // Canonical tensors in Hugging Face order, all of one dtype.
  FlatLayout Layout(DType dtype) const;
  int64_t num_parameters() const;
};

}  // namespace ponder
