#include "trainer/comm/rank_order_fold.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/error.h"

namespace ponder {
namespace {

// Elements folded at a time: a tile stays in the first-level cache, and loops of constant length
// are vectorised at -O2.
constexpr uint64_t kTile = 512;

struct Sum {
  template <typename T>
  static T Apply(T a, T b) {
    return a + b;
  }
};

struct Max {
  template <typename T>
  static T Apply(T a, T b) {
    return (a < b || b != b) ? b : a;
  }
};

template <typename T, typename Op>
void Fold(std::span<const void* const> pieces, uint64_t count, void* out) {
  std::array<T, kTile> total{};
  std::array<T, kTile> padded{};
  for (uint64_t begin = 0; begin < count; begin += kTile) {
    const uint64_t n = std::min(kTile, count - begin);
    std::memcpy(total.data(), static_cast<const T*>(pieces[0]) + begin, n * sizeof(T));
    for (size_t rank = 1; rank < pieces.size(); ++rank) {
      const T* piece = static_cast<const T*>(pieces[rank]) + begin;
      if (n < kTile) {
        std::memcpy(padded.data(), piece, n * sizeof(T));
        piece = padded.data();
      }
      for (uint64_t i = 0; i < kTile; ++i) total[i] = Op::Apply(total[i], piece[i]);
    }
    std::memcpy(static_cast<T*>(out) + begin, total.data(), n * sizeof(T));
  }
}

}  // namespace

bool IsReducible(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kI64;
}

void FoldInRankOrder(std::span<const void* const> pieces, uint64_t count, DType dtype,
                     FoldKind kind, void* out) {
  PONDER_CHECK(!pieces.empty()) << "a reduction of no contributions";
  const bool sum = kind == FoldKind::kSum;
  switch (dtype) {
    case DType::kF32:
      return sum ? Fold<float, Sum>(pieces, count, out) : Fold<float, Max>(pieces, count, out);
    case DType::kF64:
      return sum ? Fold<double, Sum>(pieces, count, out) : Fold<double, Max>(pieces, count, out);
    case DType::kI64:
      // Unsigned sums wrap around where signed ones would be undefined.
      return sum ? Fold<uint64_t, Sum>(pieces, count, out) : Fold<int64_t, Max>(pieces, count, out);
    default:
      PONDER_CHECK(false) << "reduction of " << NameOf(dtype) << ": expected F32, F64 or I64";
  }
}

}  // namespace ponder
