// What algorithms hand to the training loop: flat sequences with parallel per-token arrays.
#pragma once

#include <cstdint>
#include <vector>

namespace ponder {

// One sequence. Every per-token array is [N] and index t describes token_ids[t]; position 0 has no
// prediction, so weight[0] is 0.
struct Example {
  uint64_t ordinal = 0;
  uint32_t sample_index = 0;
  std::vector<uint32_t> token_ids;
  float temperature = 1.0F;
  // Aggregation, denominator and mask in one number: the loop sums weight * loss and never divides.
  std::vector<double> weight;
  // Empty, or [N].
  std::vector<double> advantage;
  std::vector<double> old_logprob;        // of the trainer at step start
  std::vector<double> behavior_logprob;   // of the policy that sampled
  std::vector<double> reference_logprob;  // of the frozen reference
  std::vector<uint8_t> sampled;           // 1 where the policy sampled the token
};

// 1..K sequences that packing never splits (pairs, rankings).
struct ExampleUnit {
  std::vector<Example> sequences;
};

// The units of one optimizer update.
using Minibatch = std::vector<ExampleUnit>;

}  // namespace ponder
