// Counter-based random numbers (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011).
//
// A draw is a pure function of (run seed, purpose, ordinal, sample, position). There is no
// generator state to save, share or restore, and a draw never depends on the batch, the step or the
// worker.
#pragma once

#include <array>
#include <cstdint>

namespace ponder {

// One Philox4x32-10 block: four 32-bit words from a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What a stream of draws is for. Part of the counter, so that purposes never share draws. Values
// are written into experiments' results: never renumber.
enum class RandomPurpose : uint8_t {
  kSampling = 1,       // tokens sampled from the policy
  kProblem = 2,        // making a problem
  kDemonstration = 3,  // a demonstrator's choices
  kInit = 4,           // initial weights
  kPermutation = 5,    // data order
  kTest = 255,
};

// Draws for one (seed, purpose, ordinal, sample). Immutable value type; thread safe.
class RandomStream {
 public:
  // `sample` < 2^24.
  RandomStream(uint64_t seed, RandomPurpose purpose, uint64_t ordinal, uint32_t sample);
  // The four words of `position`.
  std::array<uint32_t, 4> Words(uint32_t position) const;
  // Uniform in [0, 1) with 53 bits, from words 0 and 1 of `position`.
  double Uniform(uint32_t position) const;
  // Uniform integer in [0, bound), bound >= 1, without modulo bias worth 2^-64 * bound.
  uint64_t Below(uint32_t position, uint64_t bound) const;
  // Standard normal (Box-Muller over words 0 to 3 of `position`).
  double Normal(uint32_t position) const;

 private:
  std::array<uint32_t, 2> key_;
  uint32_t purpose_and_sample_;
  uint64_t ordinal_;
};

// A prompt's position in the stream: stream u16 | refill u8 | index u40. Never reused.
struct Ordinal {
  uint16_t stream = 0;  // a stage or an evaluation set
  uint8_t refill = 0;   // how often the slot was refilled (max_staleness > 0 only)
  uint64_t index = 0;   // < 2^40
  uint64_t Pack() const;
  static Ordinal Unpack(uint64_t packed);
};

// The image of `index` under a keyed permutation of [0, size): a Feistel network with cycle
// walking. Data order needs no shuffled array and no state: the cursor is one integer. size >= 1,
// index < size.
uint64_t PermutedIndex(uint64_t seed, uint64_t stream, uint64_t size, uint64_t index);

}  // namespace ponder
