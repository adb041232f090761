// How losses of tokens become the loss of a batch. The choice decides how long answers weigh
// against short ones.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ponder {

// With B sequences of T_i trained tokens and token losses l_it:
//   kTokenMean              sum l / sum T                    (DAPO: Yu et al., 2025, equation 8)
//   kSequenceMeanTokenMean  1/B sum_i 1/T_i sum_t l          (GRPO: Shao et al., 2024, equation 3)
//   kSequenceMeanTokenSum   1/B sum_i sum_t l                (REINFORCE)
//   kConstantLength         1/(B max_length) sum l           (Dr. GRPO: Liu et al., 2025)
enum class Aggregation {
  kTokenMean,
  kSequenceMeanTokenMean,
  kSequenceMeanTokenSum,
  kConstantLength
};

// "token_mean", "sequence_mean_token_mean", "sequence_mean_token_sum", "constant_length". Throws
// ConfigError on another name.
Aggregation ParseAggregation(std::string_view name);

// The weight of each trained token of each sequence, [B]: the batch's loss is the sum of weight *
// loss over all tokens, so any split over ranks and micro-batches sums to the same. `num_tokens`:
// T_i of all sequences of the optimizer update, on all ranks. Sequences without trained tokens stay
// in B. `max_length`: in tokens, only used by kConstantLength and then positive. Pure.
std::vector<double> TokenWeights(Aggregation aggregation, std::span<const int64_t> num_tokens,
                                 int64_t max_length);

}  // namespace ponder
