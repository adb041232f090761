#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "rollout/engine/group_decoder.h"

namespace ponder {
namespace {

std::vector<float> RandomLogits(uint64_t seed, int64_t size, double deviation) {
  const RandomStream draws(seed, RandomPurpose::kTest, /*ordinal=*/0, /*sample=*/0);
  std::vector<float> logits;
  for (int64_t i = 0; i < size; ++i) {
    logits.push_back(static_cast<float>(deviation * draws.Normal(static_cast<uint32_t>(i))));
  }
  return logits;
}

// The definition, in double: softmax(logits / temperature).
std::vector<double> Softmax(const std::vector<float>& logits, double temperature) {
  std::vector<double> probs;
  double total = 0;
  for (const float logit : logits) probs.push_back(std::exp(logit / temperature));
  for (const double p : probs) total += p;
  for (double& p : probs) p /= total;
  return probs;
}

SampledToken Sample(const std::vector<float>& logits, float temperature, double uniform) {
  return SampleToken(logits.data(), static_cast<int64_t>(logits.size()), temperature, uniform);
}

// One uniform of every 1/num-th of [0, 1): each token's count must be its probability, up to the
// two ends of its interval.
void ExpectShares(const std::vector<float>& logits, float temperature, int num) {
  const std::vector<double> probs = Softmax(logits, temperature);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < num; ++i) ++counts[Sample(logits, temperature, (i + 0.5) / num).token];
  for (size_t token = 0; token < logits.size(); ++token) {
    EXPECT_NEAR(counts[token], num * probs[token], 1.01) << "token " << token;
  }
}

TEST(SampleToken, EveryTokenHasItsShareOfTheUniforms) {
  const std::vector<float> logits = RandomLogits(/*seed=*/1, /*size=*/21, /*deviation=*/2.0);
  ExpectShares(logits, /*temperature=*/1.0F, /*num=*/20000);
  ExpectShares(logits, /*temperature=*/0.5F, /*num=*/20000);
  ExpectShares(logits, /*temperature=*/3.0F, /*num=*/20000);
}

TEST(SampleToken, SharesHoldAcrossTiles) {
  // Two full tiles and a part of a third.
  const int64_t size = 2 * kVocabularyTile + 300;
  ExpectShares(RandomLogits(/*seed=*/2, size, /*deviation=*/1.5), /*temperature=*/1.0F,
               /*num=*/20000);
  // A tile that holds nearly nothing between two that hold nearly all.
  std::vector<float> logits = RandomLogits(/*seed=*/3, size, /*deviation=*/1.5);
  for (int64_t i = kVocabularyTile; i < 2 * kVocabularyTile; ++i) logits[i] -= 60;
  ExpectShares(logits, /*temperature=*/1.0F, /*num=*/20000);
}

TEST(SampleToken, DrawsPassAChiSquareTest) {
  const std::vector<float> logits = RandomLogits(/*seed=*/4, /*size=*/21, /*deviation=*/1.0);
  const std::vector<double> probs = Softmax(logits, /*temperature=*/0.8);
  const RandomStream draws(/*seed=*/5, RandomPurpose::kSampling, /*ordinal=*/6, /*sample=*/7);
  constexpr int kNumDraws = 50000;
  std::vector<int> counts(logits.size());
  for (int i = 0; i < kNumDraws; ++i) {
    ++counts[Sample(logits, 0.8F, draws.Uniform(static_cast<uint32_t>(i))).token];
  }
  double chi_square = 0;
  for (size_t token = 0; token < probs.size(); ++token) {
    const double expected = kNumDraws * probs[token];
    chi_square += (counts[token] - expected) * (counts[token] - expected) / expected;
  }
  EXPECT_LT(chi_square, 45.3);  // 20 degrees of freedom, p = 0.001
}

TEST(SampleToken, LogprobIsOfTheFullVocabularyAtTheTemperature) {
  for (const int64_t size : {int64_t{21}, 2 * kVocabularyTile + 5}) {
    const std::vector<float> logits = RandomLogits(/*seed=*/6, size, /*deviation=*/3.0);
    for (const float temperature : {0.3F, 1.0F, 1.7F}) {
      const std::vector<double> probs = Softmax(logits, temperature);
      for (const double uniform : {0.0, 0.1, 0.5, 0.77, 0.999}) {
        const SampledToken sampled = Sample(logits, temperature, uniform);
        EXPECT_NEAR(sampled.logprob, std::log(probs[sampled.token]), 1e-5);
      }
    }
  }
}

TEST(SampleToken, TemperatureZeroTakesTheFirstLargestWithItsLogprobAtOne) {
  std::vector<float> logits(kVocabularyTile + 10, 0.0F);
  logits[7] = logits[9] = logits[kVocabularyTile + 3] = 2.0F;
  const std::vector<double> probs = Softmax(logits, /*temperature=*/1.0);
  for (const double uniform : {0.0, 0.5, 0.99}) {
    const SampledToken sampled = Sample(logits, /*temperature=*/0.0F, uniform);
    EXPECT_EQ(sampled.token, 7U);
    EXPECT_NEAR(sampled.logprob, std::log(probs[7]), 1e-6);
  }
}

TEST(SampleToken, TheEndsOfTheUniformNeverPickAnImpossibleToken) {
  const float never = -std::numeric_limits<float>::infinity();
  const double largest = std::nextafter(1.0, 0.0);
  const std::vector<float> logits = {never, 0.5F, never, 1.0F, never};
  EXPECT_EQ(Sample(logits, 1.0F, 0.0).token, 1U);
  EXPECT_EQ(Sample(logits, 1.0F, largest).token, 3U);
  // Rounding may carry the largest uniform past the last sum.
  for (uint64_t seed = 0; seed < 200; ++seed) {
    std::vector<float> tail = RandomLogits(seed, /*size=*/50, /*deviation=*/2.0);
    tail.push_back(never);
    EXPECT_LT(Sample(tail, 1.0F, largest).token, 50U) << "seed " << seed;
  }
  // A whole tile without mass, first and last.
  std::vector<float> tiles(3 * kVocabularyTile, never);
  tiles[kVocabularyTile + 5] = -1e30F;
  EXPECT_EQ(Sample(tiles, 1.0F, 0.0).token, kVocabularyTile + 5);
  EXPECT_EQ(Sample(tiles, 1.0F, largest).token, kVocabularyTile + 5);
  EXPECT_EQ(Sample(tiles, 1.0F, largest).logprob, 0.0F);
}

TEST(SampleToken, HugeLogitsStayFinite) {
  const SampledToken sampled = Sample({1e30F, 0.0F, -1e30F}, 1.0F, 0.9);
  EXPECT_EQ(sampled.token, 0U);
  EXPECT_EQ(sampled.logprob, 0.0F);
}

TEST(SampleToken, BrokenScoresAreReportedAsDivergence) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::vector<float>> broken = {{0, nan},     {nan, 0},   {0, inf},
                                                  {-inf, -inf}, {nan, nan}, {0, inf, -inf}};
  for (const auto& logits : broken) {
    for (const float temperature : {0.0F, 1.0F}) {
      try {
        Sample(logits, temperature, 0.5);
        ADD_FAILURE() << "broken scores were sampled";
      } catch (const Error& error) {
        EXPECT_EQ(error.condition(), Condition::kDiverged);
      }
    }
  }
}

}  // namespace
}  // namespace ponder
