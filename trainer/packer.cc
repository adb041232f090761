#include "trainer/packer.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace ponder {
namespace {

int64_t NumTokens(const ExampleUnit& unit) {
  int64_t total = 0;
  for (const Example& example : unit.sequences) {
    total += static_cast<int64_t>(example.token_ids.size());
  }
  return total;
}

// Linear layers cost per token, attention per pair of tokens; the ratio is that of a small decoder.
double Cost(const ExampleUnit& unit) {
  double cost = 0;
  for (const Example& example : unit.sequences) {
    const auto length = static_cast<double>(example.token_ids.size());
    cost += length + length * length / 512.0;
  }
  return cost;
}

at::Tensor ToTensor(const std::vector<double>& values, at::ScalarType dtype) {
  return at::tensor(at::ArrayRef<double>(values), at::TensorOptions().dtype(at::kDouble)).to(dtype);
}

at::Tensor ToTensor(const std::vector<int64_t>& values) {
  return at::tensor(at::ArrayRef<int64_t>(values), at::TensorOptions().dtype(at::kLong));
}

}  // namespace

std::vector<std::vector<MicroBatch>> AssignMicroBatches(const Minibatch& minibatch, int num_ranks,
                                                        int64_t max_tokens) {
  std::vector<double> cost(minibatch.size());
  for (size_t unit = 0; unit < minibatch.size(); ++unit) cost[unit] = Cost(minibatch[unit]);
  std::vector<size_t> order(minibatch.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t left, size_t right) { return cost[left] > cost[right]; });

  const auto ranks = static_cast<size_t>(num_ranks);
  std::vector<double> load(ranks, 0.0);
  std::vector<std::vector<MicroBatch>> assignment(ranks);
  std::vector<std::vector<int64_t>> fill(ranks);  // tokens in each micro-batch of each rank
  for (const size_t unit : order) {
    const auto lightest = std::min_element(load.begin(), load.end());
    const auto rank = static_cast<size_t>(lightest - load.begin());
    *lightest += cost[unit];
    const int64_t tokens = NumTokens(minibatch[unit]);
    size_t bin = 0;
    while (bin < fill[rank].size() && fill[rank][bin] + tokens > max_tokens) ++bin;
    if (bin == fill[rank].size()) {
      fill[rank].push_back(0);
      assignment[rank].emplace_back();
    }
    fill[rank][bin] += tokens;
    assignment[rank][bin].push_back(unit);
  }
  for (std::vector<MicroBatch>& batches : assignment) {
    for (MicroBatch& batch : batches) std::sort(batch.begin(), batch.end());
  }
  return assignment;
}

PackedMicroBatch Pack(const Minibatch& minibatch, const MicroBatch& units, at::ScalarType dtype) {
  std::vector<std::vector<uint32_t>> sequences;
  std::vector<int64_t> rows;
  std::vector<int64_t> targets;
  std::vector<double> temperature;
  std::vector<double> weight;
  std::vector<double> advantage;
  std::vector<double> old_logprob;
  std::vector<double> behavior_logprob;
  std::vector<double> reference_logprob;
  int64_t begin = 0;
  for (const size_t unit : units) {
    for (const Example& example : minibatch[unit].sequences) {
      const size_t length = example.token_ids.size();
      PONDER_CHECK(example.weight.size() == length)
          << "example " << example.ordinal << ": " << example.weight.size() << " weights for "
          << length << " tokens";
      PONDER_CHECK(length > 0 && example.weight[0] == 0.0)
          << "example " << example.ordinal << ": the first token has no prediction to train";
      sequences.push_back(example.token_ids);
      for (size_t t = 1; t < length; ++t) {
        if (example.weight[t] == 0.0) continue;
        rows.push_back(begin + static_cast<int64_t>(t) - 1);
        targets.push_back(example.token_ids[t]);
        temperature.push_back(example.temperature);
        weight.push_back(example.weight[t]);
        const auto take = [t](const std::vector<double>& from, std::vector<double>* to) {
          if (!from.empty()) to->push_back(from[t]);
        };
        take(example.advantage, &advantage);
        take(example.old_logprob, &old_logprob);
        take(example.behavior_logprob, &behavior_logprob);
        take(example.reference_logprob, &reference_logprob);
      }
      begin += static_cast<int64_t>(length);
    }
  }
  const size_t trained = rows.size();
  const auto stream = [&](const std::vector<double>& values, const char* name) {
    if (values.empty()) return at::Tensor();
    PONDER_CHECK(values.size() == trained)
        << "a micro-batch mixes examples with and without " << name;
    return ToTensor(values, dtype);
  };
  PackedMicroBatch packed;
  packed.tokens = PackedTokens::FromSequences(sequences);
  packed.rows = ToTensor(rows);
  packed.targets = ToTensor(targets);
  packed.temperature = ToTensor(temperature, dtype);
  packed.streams.weight = ToTensor(weight, dtype);
  packed.streams.advantage = stream(advantage, "advantage");
  packed.streams.old_logprob = stream(old_logprob, "old_logprob");
  packed.streams.behavior_logprob = stream(behavior_logprob, "behavior_logprob");
  packed.streams.reference_logprob = stream(reference_logprob, "reference_logprob");
  packed.has_behavior = !behavior_logprob.empty();
  return packed;
}

}  // namespace ponder
