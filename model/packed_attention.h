// Causal attention inside each sequence of a packed batch, with gradients.
//
// Inside, sequences are padded at their end to the longest one, so that a batch is one matrix
// product per head. A causal mask hides everything behind a real position; the padding repeats the
// sequence's own last row, so not even a non-finite value can leak into another sequence.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace ponder {

// Where the rows of a packed batch lie in the padded one. Made once per forward, shared by its
// layers.
struct PackedShape {
  explicit PackedShape(const std::vector<int64_t>& cu_seqlens);
  int64_t num_sequences = 0;  // B
  int64_t max_length = 0;
  at::Tensor
      pad;  // [B * max_length] int64: packed row of each padded one; undefined without padding
  at::Tensor unpad;  // [T] int64: padded row of each packed one; undefined without padding

  at::Tensor Pad(const at::Tensor& packed) const;    // [T, ...] -> [B, max_length, ...]
  at::Tensor Unpad(const at::Tensor& padded) const;  // [B, max_length, ...] -> [T, ...]
};

// Rotates channel pairs (i, i + head_dim / 2) of every head: the half-split convention of Hugging
// Face (Su et al., "RoFormer", 2021, equation 34).
at::Tensor Rotate(const at::Tensor& x,     // [B, max_length, heads, head_dim]
                  const at::Tensor& cos,   // [max_length, 1, head_dim / 2]
                  const at::Tensor& sin);  // [max_length, 1, head_dim / 2]

// softmax(q k' / sqrt(head_dim) + causal mask) v, query head h reading key/value head h / (H / K).
at::Tensor CausalAttention(const at::Tensor& q,   // [B, max_length, H, head_dim]
                           const at::Tensor& k,   // [B, max_length, K, head_dim]
                           const at::Tensor& v);  // [B, max_length, K, head_dim] -> q's shape

}  // namespace ponder
