// Small models of every form the family has, and scoring of whole sequences with them.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "core/base/philox.h"
#include "model/decoder.h"

namespace ponder {

// An architecture with a name for test output.
struct NamedConfig {
  std::string name;
  DecoderConfig config;
};

inline std::ostream& operator<<(std::ostream& out, const NamedConfig& named) {
  return out << named.name;
}

inline std::vector<NamedConfig> SmallConfigs() {
  const DecoderConfig base{.vocab_size = 23,
                           .hidden_size = 24,
                           .num_layers = 2,
                           .num_heads = 4,
                           .num_kv_heads = 4,
                           .head_dim = 6,
                           .intermediate_size = 40,
                           .max_positions = 48,
                           .init_std = 0.3};
  std::vector<NamedConfig> configs;
  const auto add = [&](const char* name, auto change) {
    DecoderConfig config = base;
    change(config);
    configs.push_back({name, config});
  };
  add("Qwen2Form", [](DecoderConfig&) {});
  add("GroupedHeads", [](DecoderConfig& c) { c.num_kv_heads = 2; });
  add("OneKeyValueHead", [](DecoderConfig& c) { c.num_kv_heads = 1; });
  add("Untied", [](DecoderConfig& c) { c.tie_embeddings = false; });
  add("NoBias", [](DecoderConfig& c) { c.qkv_bias = false; });
  add("HeadNormsAndWideHeads", [](DecoderConfig& c) {
    c.qkv_bias = false;
    c.qk_norm = true;
    c.head_dim = 10;
    c.num_kv_heads = 2;
  });
  add("Tiny", [](DecoderConfig& c) { c = DecoderConfig::Preset("tiny", 21); });
  return configs;
}

// A model whose every tensor differs from its neutral value, norms and biases too.
inline void RandomizeAll(Parameters& parameters, uint64_t seed) {
  const RandomStream draws(seed, RandomPurpose::kTest, /*ordinal=*/0, /*sample=*/0);
  parameters.Initialize(seed);
  at::Tensor values = parameters.GatherValues().to(at::kDouble);
  for (int64_t i = 0; i < values.numel(); ++i) {
    values.mutable_data_ptr<double>()[i] += 0.1 * draws.Normal(static_cast<uint32_t>(i));
  }
  parameters.ScatterValues(values.to(parameters.GatherValues().scalar_type()));
}

inline std::vector<uint32_t> RandomTokens(uint64_t seed, int64_t vocab_size, size_t length) {
  const RandomStream draws(seed, RandomPurpose::kTest, /*ordinal=*/1, /*sample=*/0);
  std::vector<uint32_t> tokens;
  for (size_t i = 0; i < length; ++i) {
    const uint64_t bound = static_cast<uint64_t>(vocab_size);
    tokens.push_back(static_cast<uint32_t>(draws.Below(static_cast<uint32_t>(i), bound)));
  }
  return tokens;
}

// log p(token t | tokens before t) of packed sequences at temperature 1, without each one's first
// token.
inline at::Tensor SequenceLogprobs(const Decoder& decoder,
                                   const std::vector<std::vector<uint32_t>>& sequences) {
  const PackedTokens packed = PackedTokens::FromSequences(sequences);
  const at::Tensor hidden = decoder.Forward(packed);
  std::vector<at::Tensor> logprobs;
  for (size_t b = 0; b < sequences.size(); ++b) {
    const int64_t begin = packed.cu_seqlens[b];
    const int64_t count = packed.cu_seqlens[b + 1] - begin - 1;
    const at::Tensor logits = decoder.Logits(hidden.narrow(0, begin, count));
    const at::Tensor targets = packed.token_ids.narrow(0, begin + 1, count);
    logprobs.push_back(ScoreTokens(logits, targets, at::ones({count})).logprobs);
  }
  return at::cat(logprobs);
}

inline double MaxAbsDiff(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}

}  // namespace ponder
