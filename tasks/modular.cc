#include "tasks/modular.h"

#include <charconv>

namespace ponder {
namespace {

constexpr std::array<std::string_view, kNumModularOps> kSymbols{"+", "-", "*"};

}  // namespace

int64_t ApplyModularOp(ModularOp op, int64_t a, int64_t b, int64_t modulus) {
  switch (op) {
    case ModularOp::kAdd:
      return (a + b) % modulus;
    case ModularOp::kSubtract:
      return (a - b + modulus) % modulus;
    case ModularOp::kMultiply:
      return a * b % modulus;
  }
  return 0;
}

std::string SymbolOf(ModularOp op) { return std::string(kSymbols[static_cast<size_t>(op)]); }

std::optional<ModularOp> OpOf(std::string_view word) {
  for (size_t op = 0; op < kSymbols.size(); ++op) {
    if (word == kSymbols[op]) return static_cast<ModularOp>(op);
  }
  return std::nullopt;
}

int64_t NumberOf(std::string_view word, int64_t modulus) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return -1;
  const bool is_canonical = word == "0" || (word[0] != '0' && word[0] != '-');
  return is_canonical && value < modulus ? value : -1;
}

std::vector<std::string> ModularSymbols(int64_t modulus, const std::vector<std::string>& others) {
  std::vector<std::string> symbols;
  for (int64_t number = 0; number < modulus; ++number) symbols.push_back(std::to_string(number));
  for (const std::string_view symbol : kSymbols) symbols.emplace_back(symbol);
  symbols.insert(symbols.end(), others.begin(), others.end());
  return symbols;
}

}  // namespace ponder
