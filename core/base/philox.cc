#include "core/base/philox.h"

#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace ponder {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  // Multipliers and Weyl constants of the paper, table 2.
  constexpr uint64_t kMul0 = 0xD2511F53;
  constexpr uint64_t kMul1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMul0 * counter[0];
    const uint64_t product1 = kMul1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, RandomPurpose purpose, uint64_t ordinal, uint32_t sample)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      purpose_and_sample_(static_cast<uint32_t>(purpose) << 24 | sample),
      ordinal_(ordinal) {
  PONDER_CHECK(sample < (1u << 24)) << "sample index " << sample << " does not fit 24 bits";
}

std::array<uint32_t, 4> RandomStream::Words(uint32_t position) const {
  return Philox4x32({position, purpose_and_sample_, static_cast<uint32_t>(ordinal_),
                     static_cast<uint32_t>(ordinal_ >> 32)},
                    key_);
}

double RandomStream::Uniform(uint32_t position) const {
  const auto words = Words(position);
  const uint64_t bits = (static_cast<uint64_t>(words[0]) << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1.0p-53;
}

uint64_t RandomStream::Below(uint32_t position, uint64_t bound) const {
  PONDER_CHECK(bound >= 1) << "cannot draw below 0";
  const auto words = Words(position);
  const uint64_t bits = static_cast<uint64_t>(words[0]) << 32 | words[1];
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
}

double RandomStream::Normal(uint32_t position) const {
  const auto words = Words(position);
  const uint64_t high = (static_cast<uint64_t>(words[0]) << 32 | words[1]) >> 11;
  const uint64_t low = (static_cast<uint64_t>(words[2]) << 32 | words[3]) >> 11;
  const double radius = (static_cast<double>(high) + 1.0) * 0x1.0p-53;  // in (0, 1]
  const double angle = static_cast<double>(low) * 0x1.0p-53;
  return std::sqrt(-2.0 * std::log(radius)) * std::cos(2.0 * std::numbers::pi * angle);
}

uint64_t Ordinal::Pack() const {
  PONDER_CHECK(index < (uint64_t{1} << 40)) << "prompt index " << index << " does not fit 40 bits";
  return static_cast<uint64_t>(stream) << 48 | static_cast<uint64_t>(refill) << 40 | index;
}

Ordinal Ordinal::Unpack(uint64_t packed) {
  return {static_cast<uint16_t>(packed >> 48), static_cast<uint8_t>(packed >> 40),
          packed & ((uint64_t{1} << 40) - 1)};
}

uint64_t PermutedIndex(uint64_t seed, uint64_t stream, uint64_t size, uint64_t index) {
  PONDER_CHECK(index < size) << "index " << index << " of a permutation of " << size;
  int half_bits = 1;
  while (half_bits < 32 && (uint64_t{1} << (2 * half_bits)) < size) ++half_bits;
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  do {
    uint64_t left = index >> half_bits;
    uint64_t right = index & mask;
    for (uint32_t round = 0; round < 6; ++round) {
      const RandomStream stream_of_round(seed, RandomPurpose::kPermutation, stream, round);
      const auto words = stream_of_round.Words(static_cast<uint32_t>(right));
      const uint64_t next = left ^ (words[static_cast<size_t>(right >> 32) & 3] & mask);
      left = right;
      right = next;
    }
    index = left << half_bits | right;
  } while (index >= size);  // cycle walking: a point outside the range moves on until it is inside
  return index;
}

}  // namespace ponder
