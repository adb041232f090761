// Arithmetic modulo p and the words that tasks write it in. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

enum class ModularOp : uint8_t { kAdd = 0, kSubtract = 1, kMultiply = 2 };
inline constexpr int kNumModularOps = 3;

// a op b modulo p, in [0, p), for a and b in [0, p).
int64_t ApplyModularOp(ModularOp op, int64_t a, int64_t b, int64_t modulus);

// "+", "-" or "*".
std::string SymbolOf(ModularOp op);
// The operation that `word` writes, if any.
std::optional<ModularOp> OpOf(std::string_view word);
// The number below `modulus` that `word` writes the one way that the vocabulary has, or -1.
int64_t NumberOf(std::string_view word, int64_t modulus);

// 0 .. p-1, the operations, then `others`: the vocabulary of a task, in the order of the ids.
std::vector<std::string> ModularSymbols(int64_t modulus, const std::vector<std::string>& others);

}  // namespace ponder
