#include "model/decode_kernels.h"

#include <algorithm>
#include <cmath>

namespace ponder {
namespace {

// Independent partial sums let the compiler use vectors without reordering any of them.
constexpr int64_t kLanes = 8;

template <typename T>
T Dot(const T* a, const T* b, int64_t size) {
  T lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (int64_t j = 0; i + j < size; ++j) lanes[j] += a[i + j] * b[i + j];
  for (int64_t step = kLanes / 2; step > 0; step /= 2) {
    for (int64_t j = 0; j < step; ++j) lanes[j] += lanes[j + step];
  }
  return lanes[0];
}

}  // namespace

template <typename T>
void RmsNormRows(const T* x, const T* weight, int64_t rows, int64_t width, double eps, T* out) {
  for (int64_t r = 0; r < rows; ++r, x += width, out += width) {
    const T mean = Dot(x, x, width) / static_cast<T>(width);
    const T scale = T(1) / std::sqrt(mean + static_cast<T>(eps));
    for (int64_t i = 0; i < width; ++i) out[i] = x[i] * scale * weight[i];
  }
}

template <typename T>
void RotateRows(const T* cos, const T* sin, int64_t rows, int64_t head_dim, T* x) {
  const int64_t half = head_dim / 2;
  for (int64_t r = 0; r < rows; ++r, x += head_dim) {
    for (int64_t i = 0; i < half; ++i) {
      const T a = x[i];
      const T b = x[i + half];
      x[i] = a * cos[i] - b * sin[i];
      x[i + half] = b * cos[i] + a * sin[i];
    }
  }
}

template <typename T>
void StorePosition(const CacheShape& shape, int64_t position, const T* x, T* cache) {
  T* out = cache + position * shape.head_dim;
  for (int64_t r = 0; r < shape.num_rows * shape.num_kv_heads; ++r) {
    std::copy_n(x, shape.head_dim, out);
    x += shape.head_dim;
    out += shape.capacity * shape.head_dim;
  }
}

template <typename T>
void AttendRows(const CacheShape& shape, int64_t length, const T* q, const T* keys, const T* values,
                T* probs, T* out) {
  const int64_t head_dim = shape.head_dim;
  const int64_t group = shape.num_heads / shape.num_kv_heads;
  const T scale = T(1) / std::sqrt(static_cast<T>(head_dim));
  for (int64_t i = 0; i < shape.num_rows * shape.num_heads; ++i, q += head_dim, out += head_dim) {
    // Query heads of a row lie in order, so every `group` of them share one key/value head.
    const int64_t cache_offset = i / group * shape.capacity * head_dim;
    const T* key = keys + cache_offset;
    const T* value = values + cache_offset;
    T max = 0;
    for (int64_t t = 0; t < length; ++t) {
      probs[t] = Dot(q, key + t * head_dim, head_dim) * scale;
      max = t == 0 ? probs[t] : std::max(max, probs[t]);
    }
    T sum = 0;
    for (int64_t t = 0; t < length; ++t) {
      probs[t] = std::exp(probs[t] - max);
      sum += probs[t];
    }
    std::fill_n(out, head_dim, T(0));
    for (int64_t t = 0; t < length; ++t) {
      const T p = probs[t] / sum;
      for (int64_t j = 0; j < head_dim; ++j) out[j] += p * value[t * head_dim + j];
    }
  }
}

template void RmsNormRows(const float*, const float*, int64_t, int64_t, double, float*);
template void RmsNormRows(const double*, const double*, int64_t, int64_t, double, double*);
template void RotateRows(const float*, const float*, int64_t, int64_t, float*);
template void RotateRows(const double*, const double*, int64_t, int64_t, double*);
template void StorePosition(const CacheShape&, int64_t, const float*, float*);
template void StorePosition(const CacheShape&, int64_t, const double*, double*);
template void AttendRows(const CacheShape&, int64_t, const float*, const float*, const float*,
                         float*, float*);
template void AttendRows(const CacheShape&, int64_t, const double*, const double*, const double*,
                         double*, double*);

}  // namespace ponder
