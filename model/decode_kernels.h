// The parts of a decode step that are too small for tensor operations: at G rows of one token the
// call itself would cost more than the work. Plain loops over contiguous memory, one thread.
//
// Every output element is one chain of operations in a fixed order, whatever the number of rows,
// and no instruction set beyond the build's baseline is used: results depend on the inputs alone.
//
// T is float or double; sums are kept in T.
#pragma once

#include <cstdint>

namespace ponder {

// out = x / sqrt(mean(x^2) + eps) * weight, row by row (Zhang and Sennrich, "Root Mean Square Layer
// Normalization", 2019, equation 4). `out` may be `x`.
template <typename T>
void RmsNormRows(const T* x,       // [rows, width]
                 const T* weight,  // [width]
                 int64_t rows, int64_t width, double eps,
                 T* out);  // [rows, width]

// In place: the rotation of packed_attention.h's Rotate at one position.
template <typename T>
void RotateRows(const T* cos,  // [head_dim / 2]
                const T* sin,  // [head_dim / 2]
                int64_t rows, int64_t head_dim,
                T* x);  // [rows, head_dim]

// The shape of a cache and how much of it is filled.
struct CacheShape {
  int64_t num_rows = 0;      // G
  int64_t num_heads = 0;     // H
  int64_t num_kv_heads = 0;  // K
  int64_t head_dim = 0;
  int64_t capacity = 0;
};

// Writes one position of a cache.
template <typename T>
void StorePosition(const CacheShape& shape, int64_t position,
                   const T* x,  // [G, K, head_dim]
                   T* cache);   // [G, K, capacity, head_dim]

// Attention of one query position over the first `length` positions of the cache.
template <typename T>
void AttendRows(const CacheShape& shape, int64_t length,
                const T* q,       // [G, H, head_dim]
                const T* keys,    // [G, K, capacity, head_dim]
                const T* values,  // [G, K, capacity, head_dim]
                T* probs,         // [length], scratch
                T* out);          // [G, H, head_dim]

}  // namespace ponder
