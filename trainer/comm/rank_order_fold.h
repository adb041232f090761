// The arithmetic of every reduction: a left fold over the ranks' contributions, in rank order.
#pragma once

#include <cstdint>
#include <span>

#include "core/weights/flat_layout.h"

namespace ponder {

enum class FoldKind { kSum, kMax };

// out[i] = ((pieces[0][i] op pieces[1][i]) op pieces[2][i]) ... for i < count, in the dtype itself
// (I64 wraps around). Each element is one chain whatever `count` is, so cutting a buffer changes no
// bit. `out` may be one of `pieces`. dtype: F32, F64 or I64; any other throws Error(kInternal). For
// kMax a NaN of any piece gives NaN.
void FoldInRankOrder(std::span<const void* const> pieces, uint64_t count, DType dtype,
                     FoldKind kind, void* out);

// True for the dtypes that FoldInRankOrder takes.
bool IsReducible(DType dtype);

}  // namespace ponder
