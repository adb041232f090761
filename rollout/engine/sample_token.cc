#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "rollout/engine/group_decoder.h"

namespace ponder {
namespace {

// The mass of a tile is sum * exp(max); `max` keeps the sum in range.
struct TileMass {
  double max = 0;
  double sum = 0;
};

TileMass MassOf(const float* logits, int64_t size, double inverse_temperature) {
  TileMass mass;
  mass.max = *std::max_element(logits, logits + size) * inverse_temperature;
  // Without a finite maximum the tile holds no mass (all -inf) or the scores are broken.
  if (mass.max == -INFINITY) return mass;
  for (int64_t i = 0; i < size; ++i)
    mass.sum += std::exp(logits[i] * inverse_temperature - mass.max);
  return mass;
}

// The first index at which the running sum of `weight` exceeds `target`; rounding may leave the
// target above the last sum, then the last index with any weight. `target` becomes what is left of
// it.
template <typename Weight>
int64_t PickByMass(int64_t size, double& target, const Weight& weight) {
  int64_t last = 0;
  double last_weight = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double w = weight(i);
    if (w <= 0) continue;
    if (target < w) return i;
    target -= w;
    last = i;
    last_weight = w;
  }
  target = last_weight;
  return last;
}

}  // namespace

SampledToken SampleToken(const float* logits, int64_t vocab_size, float temperature,
                         double uniform) {
  PONDER_CHECK(vocab_size >= 1 && temperature >= 0 && uniform >= 0 && uniform < 1)
      << "sampling: expected a vocabulary, a temperature >= 0 and a uniform in [0, 1), got "
      << vocab_size << ", " << temperature << " and " << uniform;
  const bool greedy = temperature == 0;
  const double inverse_temperature = greedy ? 1.0 : 1.0 / static_cast<double>(temperature);
  const int64_t num_tiles = (vocab_size + kVocabularyTile - 1) / kVocabularyTile;
  const auto tile_size = [&](int64_t tile) {
    return std::min(kVocabularyTile, vocab_size - tile * kVocabularyTile);
  };

  std::vector<TileMass> tiles(num_tiles);
  double max = -INFINITY;
  for (int64_t i = 0; i < num_tiles; ++i) {
    tiles[i] = MassOf(logits + i * kVocabularyTile, tile_size(i), inverse_temperature);
    max = std::max(max, tiles[i].max);
  }
  double total = 0;
  for (const TileMass& tile : tiles) total += tile.sum * std::exp(tile.max - max);
  if (!std::isfinite(total) || total <= 0 || !std::isfinite(max)) {
    throw Error(Condition::kDiverged,
                "sampling a token: expected finite scores, got a total mass of " +
                    std::to_string(total) + " (the weights of this version are broken)");
  }

  int64_t token = 0;
  if (greedy) {
    token = std::max_element(logits, logits + vocab_size) - logits;
  } else {
    double target = uniform * total;
    const int64_t tile = PickByMass(
        num_tiles, target, [&](int64_t i) { return tiles[i].sum * std::exp(tiles[i].max - max); });
    target /= std::exp(tiles[tile].max - max);
    const float* tile_logits = logits + tile * kVocabularyTile;
    token = tile * kVocabularyTile + PickByMass(tile_size(tile), target, [&](int64_t i) {
              return std::exp(tile_logits[i] * inverse_temperature - tiles[tile].max);
            });
  }
  const double logprob = logits[token] * inverse_temperature - max - std::log(total);
  return {static_cast<uint32_t>(token), static_cast<float>(logprob)};
}

}  // namespace ponder
