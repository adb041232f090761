#include "trainer/objectives/aggregation.h"

#include <numeric>
#include <string>

#include "core/base/error.h"

namespace ponder {

Aggregation ParseAggregation(std::string_view name) {
  if (name == "token_mean") return Aggregation::kTokenMean;
  if (name == "sequence_mean_token_mean") return Aggregation::kSequenceMeanTokenMean;
  if (name == "sequence_mean_token_sum") return Aggregation::kSequenceMeanTokenSum;
  if (name == "constant_length") return Aggregation::kConstantLength;
  throw ConfigError(
      "reading aggregation: expected token_mean, sequence_mean_token_mean, sequence_mean_token_sum "
      "or constant_length, got '" +
      std::string(name) + "'");
}

std::vector<double> TokenWeights(Aggregation aggregation, std::span<const int64_t> num_tokens,
                                 int64_t max_length) {
  const auto sequences = static_cast<double>(num_tokens.size());
  const auto tokens =
      static_cast<double>(std::accumulate(num_tokens.begin(), num_tokens.end(), int64_t{0}));
  PONDER_CHECK(aggregation != Aggregation::kConstantLength || max_length > 0)
      << "constant_length needs a positive length, got " << max_length;
  std::vector<double> weights;
  weights.reserve(num_tokens.size());
  for (const int64_t count : num_tokens) {
    if (count == 0) {
      weights.push_back(0.0);
      continue;
    }
    switch (aggregation) {
      case Aggregation::kTokenMean:
        weights.push_back(1.0 / tokens);
        break;
      case Aggregation::kSequenceMeanTokenMean:
        weights.push_back(1.0 / (sequences * static_cast<double>(count)));
        break;
      case Aggregation::kSequenceMeanTokenSum:
        weights.push_back(1.0 / sequences);
        break;
      case Aggregation::kConstantLength:
        weights.push_back(1.0 / (sequences * static_cast<double>(max_length)));
        break;
    }
  }
  return weights;
}

}  // namespace ponder
