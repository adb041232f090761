// The one forward that sampling and training share.
//
// Letters: B sequences, T packed positions, V vocabulary, D width, L layers, H query heads, K key/value
// heads, G rows of a decode batch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/decoder_config.h"
#include "model/parameters.h"

namespace ponder {

// B sequences one after the other, no padding. Positions restart at 0 per sequence.
struct PackedTokens {
  at::Tensor token_ids;             // [T] int64
  std::vector<int64_t> cu_seqlens;  // [B+1], begins with 0, ends with T
  static PackedTokens FromSequences(std::span<const std::vector<uint32_t>> sequences);
};

// Keys and values of G rows, room for `capacity` positions. Filled by Decoder::Step.
struct KvCache {
  KvCache(const DecoderConfig& config, at::ScalarType dtype, int64_t num_rows, int64_t capacity);
  std::vector<at::Tensor> keys;    // L x [G, K, capacity, head_dim]
  std::vector<at::Tensor> values;  // L x [G, K, capacity, head_dim]
  int64_t length = 0;              // positions filled, the same for all rows
};

// Borrows `parameters`, which must outlive it. Thread compatible: one thread at a time.
class Decoder {
 public:
  Decoder(const DecoderConfig& config, const Parameters& parameters);

  // Final hidden states of a packed batch. Autograd flows to the parameters when they are trainable and
  // gradients are enabled.
  at::Tensor Forward(const PackedTokens& tokens) const;  // [T, D]

  // One more token for each of the cache's G rows, at position cache.length. No gradients.
  at::Tensor Step(const at::Tensor& token_ids,  // [G] int64
                  KvCache& cache) const;        // [G, D]

  // Scores over the vocabulary, in float32 or the parameters' wider dtype.
  at::Tensor Logits(const at::Tensor& hidden) const;  // [M, D] -> [M, V]

  const DecoderConfig& config() const { return config_; }

 private:
  at::Tensor Layer(int64_t layer, const at::Tensor& x) const;
  DecoderConfig config_;
  const Parameters& parameters_;
};

// Log-probabilities of given tokens under softmax(logits / temperature), and the entropy in nats.
struct TokenScores {
  at::Tensor logprobs;  // [M]
  at::Tensor entropy;   // [M], detached
};
TokenScores ScoreTokens(const at::Tensor& logits,        // [M, V]
                        const at::Tensor& targets,       // [M] int64
                        const at::Tensor& temperature);  // [M]

}  // namespace ponder
