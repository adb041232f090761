#include "core/base/philox.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kSeed = 20240229;

struct KnownAnswer {
  const char* name;
  std::array<uint32_t, 4> counter;
  std::array<uint32_t, 2> key;
  std::array<uint32_t, 4> words;
};

// kat_vectors of the Random123 distribution (Salmon et al., SC 2011), philox4x32 with 10 rounds.
const KnownAnswer kKnownAnswers[] = {
    {"zeros", {0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {"ones",
     {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {"digits of pi",
     {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

TEST(Philox, MatchesThePublishedVectors) {
  for (const KnownAnswer& known : kKnownAnswers) {
    EXPECT_EQ(Philox4x32(known.counter, known.key), known.words) << known.name;
  }
}

// The published vector, reached through a stream: pins how seed, purpose, sample and ordinal are
// laid out in key and counter. Every experiment's results depend on it.
TEST(RandomStream, PutsItsNamesIntoTheCounterAsDocumented) {
  constexpr uint64_t kKey = 0x299f31d0'a4093822;
  constexpr uint32_t kPosition = 0x243f6a88;
  constexpr auto kPurpose = static_cast<RandomPurpose>(0x85);
  constexpr uint32_t kSample = 0xa308d3;
  constexpr uint64_t kOrdinal = 0x03707344'13198a2e;
  const RandomStream stream(kKey, kPurpose, kOrdinal, kSample);
  EXPECT_THAT(stream.Words(kPosition), ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
  // The first 53 of the 64 bits of words 0 and 1.
  EXPECT_EQ(stream.Uniform(kPosition), static_cast<double>(0xd16cfe09'94fdccebULL >> 11) / 0x1p53);
}

TEST(RandomStream, GivesOtherDrawsWhenAnyOfItsNamesDiffers) {
  const RandomStream base(kSeed, RandomPurpose::kSampling, /*ordinal=*/7, /*sample=*/3);
  const std::set<std::array<uint32_t, 4>> draws{
      base.Words(0),
      base.Words(1),
      RandomStream(kSeed + 1, RandomPurpose::kSampling, 7, 3).Words(0),
      RandomStream(kSeed, RandomPurpose::kProblem, 7, 3).Words(0),
      RandomStream(kSeed, RandomPurpose::kSampling, 8, 3).Words(0),
      RandomStream(kSeed, RandomPurpose::kSampling, 7, 4).Words(0),
      RandomStream(kSeed, RandomPurpose::kSampling, 7 + (uint64_t{1} << 32), 3).Words(0),
      RandomStream(kSeed + (uint64_t{1} << 32), RandomPurpose::kSampling, 7, 3).Words(0),
  };
  EXPECT_EQ(draws.size(), 8u);
}

TEST(RandomStream, RefusesASampleIndexThatDoesNotFit) {
  EXPECT_NO_THROW(RandomStream(kSeed, RandomPurpose::kTest, 0, (1u << 24) - 1));
  EXPECT_THROW(RandomStream(kSeed, RandomPurpose::kTest, 0, 1u << 24), Error);
}

// Sum over the cells of (observed - expected)^2 / expected.
double ChiSquare(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(RandomStream, DrawsIntegersUniformly) {
  constexpr uint32_t kNumDraws = 110'000;
  constexpr uint64_t kBound = 11;
  // The 0.1 % and 99.9 % points of chi-square with 10 degrees of freedom: neither uneven nor
  // suspiciously even.
  constexpr double kLow = 1.479;
  constexpr double kHigh = 29.588;
  const RandomStream stream(kSeed, RandomPurpose::kTest, /*ordinal=*/1, /*sample=*/0);
  std::vector<int> counts(kBound, 0);
  for (uint32_t position = 0; position < kNumDraws; ++position) {
    ++counts.at(stream.Below(position, kBound));
  }
  const double statistic = ChiSquare(counts, static_cast<double>(kNumDraws) / kBound);
  EXPECT_GT(statistic, kLow);
  EXPECT_LT(statistic, kHigh);
}

TEST(RandomStream, DrawsPositionsAndOrdinalsIndependently) {
  // Pairs of neighbours, along positions and along ordinals: 16 cells, 15 degrees of freedom.
  constexpr int kNumPairs = 40'000;
  constexpr double kHigh = 37.697;  // 99.9 %
  std::vector<int> by_position(16, 0);
  std::vector<int> by_ordinal(16, 0);
  for (uint32_t i = 0; i < kNumPairs; ++i) {
    const RandomStream here(kSeed, RandomPurpose::kTest, i, 0);
    const RandomStream next(kSeed, RandomPurpose::kTest, i + 1, 0);
    ++by_position.at(here.Below(0, 4) * 4 + here.Below(1, 4));
    ++by_ordinal.at(here.Below(2, 4) * 4 + next.Below(2, 4));
  }
  EXPECT_LT(ChiSquare(by_position, kNumPairs / 16.0), kHigh);
  EXPECT_LT(ChiSquare(by_ordinal, kNumPairs / 16.0), kHigh);
}

RC_GTEST_PROP(RandomStream, StaysBelowAnyBound, (uint64_t bound, uint32_t position)) {
  RC_PRE(bound > 0u);
  const RandomStream stream(kSeed, RandomPurpose::kTest, 0, 0);
  RC_ASSERT(stream.Below(position, bound) < bound);
  const double uniform = stream.Uniform(position);
  RC_ASSERT(uniform >= 0.0);
  RC_ASSERT(uniform < 1.0);
}

TEST(RandomStream, RefusesToDrawBelowZero) {
  const RandomStream stream(kSeed, RandomPurpose::kTest, 0, 0);
  EXPECT_EQ(stream.Below(0, 1), 0u);
  EXPECT_THROW(stream.Below(0, 0), Error);
}

TEST(RandomStream, DrawsNormalsWithTheRightMoments) {
  constexpr int kNumDraws = 1'000'000;
  const RandomStream stream(kSeed, RandomPurpose::kTest, /*ordinal=*/2, /*sample=*/0);
  double sums[5] = {};
  for (uint32_t position = 0; position < kNumDraws; ++position) {
    const double draw = stream.Normal(position);
    ASSERT_TRUE(std::isfinite(draw));
    for (int power = 1; power <= 4; ++power) sums[power] += std::pow(draw, power);
  }
  // Moments 0, 1, 0, 3; the limits are four standard errors: sqrt of {1, 2, 15, 96} / draws.
  const double scale = 4.0 / std::sqrt(kNumDraws);
  EXPECT_NEAR(sums[1] / kNumDraws, 0.0, scale * 1.0);
  EXPECT_NEAR(sums[2] / kNumDraws, 1.0, scale * std::sqrt(2.0));
  EXPECT_NEAR(sums[3] / kNumDraws, 0.0, scale * std::sqrt(15.0));
  EXPECT_NEAR(sums[4] / kNumDraws, 3.0, scale * std::sqrt(96.0));
}

RC_GTEST_PROP(Ordinal, UnpacksWhatItPacked, (uint16_t stream, uint8_t refill)) {
  const auto index = *rc::gen::inRange<uint64_t>(0, uint64_t{1} << 40);
  const Ordinal ordinal = Ordinal::Unpack(Ordinal{stream, refill, index}.Pack());
  RC_ASSERT(ordinal.stream == stream);
  RC_ASSERT(ordinal.refill == refill);
  RC_ASSERT(ordinal.index == index);
}

TEST(Ordinal, IsLaidOutAsStreamRefillIndex) {
  EXPECT_EQ((Ordinal{.stream = 0x1234, .refill = 0x56, .index = 0x789abcdef0}.Pack()),
            0x123456'789abcdef0u);
  EXPECT_THROW((Ordinal{.stream = 0, .refill = 0, .index = uint64_t{1} << 40}.Pack()), Error);
}

RC_GTEST_PROP(PermutedIndex, VisitsEveryIndexOnce, (uint64_t seed, uint64_t stream)) {
  const auto size = *rc::gen::inRange<uint64_t>(1, 600);
  std::set<uint64_t> images;
  for (uint64_t index = 0; index < size; ++index) {
    const uint64_t image = PermutedIndex(seed, stream, size, index);
    RC_ASSERT(image < size);
    images.insert(image);
  }
  RC_ASSERT(images.size() == size);
}

TEST(PermutedIndex, StaysInsideHugeRanges) {
  for (const uint64_t size : {(uint64_t{1} << 40) - 3, (uint64_t{1} << 62) + 1, ~uint64_t{0}}) {
    EXPECT_LT(PermutedIndex(kSeed, /*stream=*/1, size, /*index=*/0), size);
    EXPECT_LT(PermutedIndex(kSeed, /*stream=*/1, size, size - 1), size);
  }
  EXPECT_THROW(PermutedIndex(kSeed, /*stream=*/1, /*size=*/5, /*index=*/5), Error);
}

TEST(PermutedIndex, ShufflesDifferentlyForEachSeedAndStream) {
  constexpr uint64_t kSize = 1000;
  const auto order = [](uint64_t seed, uint64_t stream) {
    std::vector<uint64_t> images;
    for (uint64_t i = 0; i < kSize; ++i) images.push_back(PermutedIndex(seed, stream, kSize, i));
    return images;
  };
  const std::vector<uint64_t> base = order(1, 1);
  int num_fixed = 0;
  for (uint64_t i = 0; i < kSize; ++i) num_fixed += base[i] == i;
  EXPECT_LT(num_fixed, 10);  // one is expected of a random permutation
  EXPECT_NE(base, order(2, 1));
  EXPECT_NE(base, order(1, 2));
}

}  // namespace
}  // namespace ponder
