// The one forward that sampling and training share.
//
// Letters: B sequences, T packed positions, V vocabulary, D width, L layers, H query heads, K
// key/value heads, G rows of a decode batch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "model/decoder_config.h"
#include "model/packed_attention.h"
#include "model/parameters.h"

namespace ponder {

// B sequences one after the other, no padding. Positions restart at 0 per sequence.
struct PackedTokens {
  at::Tensor token_ids;             // [T] int64
  std::vector<int64_t> cu_seqlens;  // [B+1], begins with 0, ends with T
  static PackedTokens FromSequences(std::span<const std::vector<uint32_t>> sequences);
};

// Keys and values of G rows, room for `capacity` positions. Filled by Decoder::Prefill and Step.
struct KvCache {
  KvCache(const DecoderConfig& config, at::ScalarType dtype, int64_t num_rows, int64_t capacity);
  std::vector<at::Tensor> keys;    // L x [G, K, capacity, head_dim]
  std::vector<at::Tensor> values;  // L x [G, K, capacity, head_dim]
  int64_t length = 0;              // positions filled, the same for all rows
  int64_t num_rows() const { return keys.front().size(0); }
  int64_t capacity() const { return keys.front().size(2); }
};

// Borrows `parameters`, which must outlive it. Thread compatible: one thread at a time.
class Decoder {
 public:
  Decoder(const DecoderConfig& config, const Parameters& parameters);

  // Final hidden states of a packed batch. Autograd flows to the parameters when they are trainable
  // and gradients are enabled. No sequence ever influences another. Throws Error(kBadData) when a
  // sequence is longer than the context.
  at::Tensor Forward(const PackedTokens& tokens) const;  // [T, D]

  // The prompt that all rows of an empty cache share: Forward's computation, done once, its keys
  // and values copied to every row. Returns the final hidden state of the last token. No gradients.
  at::Tensor Prefill(const std::vector<uint32_t>& prompt, KvCache& cache) const;  // [1, D]

  // One more token for each of the cache's G rows, at position cache.length. No gradients.
  at::Tensor Step(const at::Tensor& token_ids,  // [G] int64
                  KvCache& cache) const;        // [G, D]

  // Scores over the vocabulary, in float32 or the parameters' wider dtype.
  at::Tensor Logits(const at::Tensor& hidden) const;  // [M, D] -> [M, V]

  const DecoderConfig& config() const { return config_; }
  at::ScalarType dtype() const { return embedding_.scalar_type(); }

 private:
  // Handles of the parameters' tensors. Biases and head norms are undefined where the architecture
  // has none.
  struct LayerWeights {
    at::Tensor input_norm;              // [D]
    at::Tensor q, k, v;                 // [H*head_dim, D], [K*head_dim, D] twice
    at::Tensor q_bias, k_bias, v_bias;  // [H*head_dim], [K*head_dim] twice
    at::Tensor q_norm, k_norm;          // [head_dim]
    at::Tensor o;                       // [D, H*head_dim]
    at::Tensor post_norm;               // [D]
    at::Tensor gate, up, down;          // [ffn, D] twice, [D, ffn]
  };

  at::Tensor Normalize(const at::Tensor& x, const at::Tensor& weight) const;
  // All layers over a packed batch, then the last norm. Writes keys and values to `cache` when
  // given.
  at::Tensor Run(const PackedTokens& tokens, KvCache* cache) const;          // [T, D]
  at::Tensor Attention(int64_t layer, const at::Tensor& x,                   // [T, D]
                       const PackedShape& shape, KvCache* cache) const;      // [T, D]
  at::Tensor FeedForward(const LayerWeights& w, const at::Tensor& x) const;  // [T, D]
  template <typename T>
  at::Tensor StepTyped(const at::Tensor& token_ids, KvCache& cache) const;

  DecoderConfig config_;
  at::Tensor embedding_;   // [V, D]
  at::Tensor final_norm_;  // [D]
  at::Tensor head_;        // [V, D], the embedding when tied
  std::vector<LayerWeights> layers_;
  at::Tensor cos_, sin_;  // [context, head_dim / 2]
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
