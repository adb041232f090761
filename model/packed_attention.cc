#include "model/packed_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace ponder {
namespace {

at::Tensor IndexTensor(const std::vector<int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

}  // namespace

PackedShape::PackedShape(const std::vector<int64_t>& cu_seqlens) {
  PONDER_CHECK(cu_seqlens.size() >= 2 && cu_seqlens.front() == 0)
      << "packed batch: expected cu_seqlens of at least one sequence, beginning with 0";
  num_sequences = static_cast<int64_t>(cu_seqlens.size()) - 1;
  bool all_equal = true;
  for (int64_t b = 0; b < num_sequences; ++b) {
    const int64_t length = cu_seqlens[b + 1] - cu_seqlens[b];
    PONDER_CHECK(length >= 1) << "packed batch: expected sequences of at least one token, got "
                              << length << " in sequence " << b;
    all_equal = all_equal && (b == 0 || length == max_length);
    max_length = std::max(max_length, length);
  }
  if (all_equal) return;
  std::vector<int64_t> pad_rows;
  std::vector<int64_t> unpad_rows;
  for (int64_t b = 0; b < num_sequences; ++b) {
    const int64_t last = cu_seqlens[b + 1] - 1;
    for (int64_t t = 0; t < max_length; ++t) {
      pad_rows.push_back(std::min(cu_seqlens[b] + t, last));
      if (cu_seqlens[b] + t <= last) unpad_rows.push_back(b * max_length + t);
    }
  }
  pad = IndexTensor(pad_rows);
  unpad = IndexTensor(unpad_rows);
}

at::Tensor PackedShape::Pad(const at::Tensor& packed) const {
  std::vector<int64_t> sizes = packed.sizes().vec();
  sizes.front() = max_length;
  sizes.insert(sizes.begin(), num_sequences);
  return (pad.defined() ? packed.index_select(0, pad) : packed).view(sizes);
}

at::Tensor PackedShape::Unpad(const at::Tensor& padded) const {
  const at::Tensor rows = padded.flatten(0, 1);
  return unpad.defined() ? rows.index_select(0, unpad) : rows;
}

at::Tensor Rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const int64_t half = x.size(-1) / 2;
  const at::Tensor a = x.narrow(-1, 0, half);
  const at::Tensor b = x.narrow(-1, half, half);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, -1);
}

at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t num_sequences = q.size(0);
  const int64_t length = q.size(1);
  const int64_t num_kv_heads = k.size(2);
  const int64_t head_dim = q.size(3);
  const int64_t group = q.size(2) / num_kv_heads;
  const int64_t batch = num_sequences * num_kv_heads;

  // The query heads that share a key/value head become more rows of one product.
  const at::Tensor queries = q.view({num_sequences, length, num_kv_heads, group, head_dim})
                                 .permute({0, 2, 3, 1, 4})
                                 .reshape({batch, group * length, head_dim});
  const at::Tensor keys = k.permute({0, 2, 3, 1}).reshape({batch, head_dim, length});
  const at::Tensor values = v.permute({0, 2, 1, 3}).reshape({batch, length, head_dim});
  const at::Tensor mask =
      at::full({length, length}, -std::numeric_limits<double>::infinity(), q.options())
          .triu(1)
          .repeat({group, 1});  // [group * length, length]

  const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
  const at::Tensor scores = at::baddbmm(mask.unsqueeze(0), queries, keys, /*beta=*/1, scale);
  return at::bmm(at::softmax(scores, -1), values)
      .view({num_sequences, num_kv_heads, group, length, head_dim})
      .permute({0, 3, 1, 2, 4})
      .reshape(q.sizes());
}

}  // namespace ponder
