// pass@k and maj@k against values of independent derivations, brute force, and what they estimate.
#include "trainer/estimators.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

TEST(PassAtKTest, MatchesTheUnbiasedEstimator) {
  EXPECT_NEAR(PassAtK(10, 3, 1), .3, 1e-12);
  EXPECT_NEAR(PassAtK(10, 3, 5), .9166666667, 1e-9);
  EXPECT_DOUBLE_EQ(PassAtK(10, 3, 8), 1);
  EXPECT_NEAR(PassAtK(5, 1, 2), .4, 1e-12);
  EXPECT_NEAR(PassAtK(64, 16, 1), .25, 1e-12);
  EXPECT_NEAR(PassAtK(64, 16, 8), .9147458437, 1e-9);
  EXPECT_NEAR(PassAtK(64, 4, 16), .6937561381, 1e-9);
  EXPECT_DOUBLE_EQ(PassAtK(64, 1, 64), 1);
  EXPECT_NEAR(PassAtK(200, 10, 100), .9992289739, 1e-9);
  EXPECT_EQ(PassAtK(100, 0, 10), 0);
}

TEST(PassAtKTest, RefusesMoreSamplesThanThereAre) { EXPECT_THROW(PassAtK(4, 1, 5), Error); }

// Of the distribution p over answers, the first of which is right: the probability that n
// independent samples give these counts.
double Multinomial(const std::vector<double>& p, const std::vector<int64_t>& counts) {
  int64_t n = 0;
  double log_probability = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    n += counts[i];
    log_probability += static_cast<double>(counts[i]) * std::log(p[i]) -
                       std::lgamma(static_cast<double>(counts[i]) + 1);
  }
  return std::exp(log_probability + std::lgamma(static_cast<double>(n) + 1));
}

// Calls `visit` with every way to spread `left` samples over the answers from `index` on.
template <typename Visit>
void ForEachCounts(std::vector<int64_t>* counts, size_t index, int64_t left, const Visit& visit) {
  if (index + 1 == counts->size()) {
    (*counts)[index] = left;
    visit(*counts);
    return;
  }
  for (int64_t count = 0; count <= left; ++count) {
    (*counts)[index] = count;
    ForEachCounts(counts, index + 1, left - count, visit);
  }
}

// The mean of MajorityAtK over all outcomes of n independent samples. `silent`: the last outcome is
// no answer.
double ExpectedMajority(const std::vector<double>& p, int64_t n, int64_t k, bool silent = false) {
  double expected = 0;
  std::vector<int64_t> counts(p.size());
  ForEachCounts(&counts, 0, n, [&](const std::vector<int64_t>& spread) {
    std::vector<AnswerCount> answers;
    for (size_t i = 0; i < p.size() - (silent ? 1 : 0); ++i) {
      if (spread[i] == 0) continue;
      answers.push_back({std::to_string(i), spread[i], i == 0 ? spread[i] : 0});
    }
    expected += Multinomial(p, spread) * MajorityAtK(answers, n, k);
  });
  return expected;
}

TEST(MajorityAtKTest, OfAllSamplesHasTheExactExpectation) {
  const std::vector<int64_t> sizes = {1, 3, 5, 9, 17, 33, 64};
  const std::vector<double> rising = {.4, .424, .44704, .48865024, .54654618, .6291426, .73328147};
  const std::vector<double> falling = {.3,        .276,      .25758,   .21930561,
                                       .16347512, .09391818, .03466855};
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_NEAR(ExpectedMajority({.4, .3, .3}, sizes[i], sizes[i]), rising[i], 1e-8) << sizes[i];
    EXPECT_NEAR(ExpectedMajority({.3, .5, .2}, sizes[i], sizes[i]), falling[i], 1e-8) << sizes[i];
  }
  const std::vector<double> four = {.4, .448, .50944, .59858944, .71971644};
  for (size_t i = 0; i < four.size(); ++i) {
    EXPECT_NEAR(ExpectedMajority({.4, .2, .2, .2}, sizes[i], sizes[i]), four[i], 1e-8) << sizes[i];
  }
}

TEST(MajorityAtKTest, FromMoreSamplesThanKHasTheSameExpectation) {
  EXPECT_NEAR(ExpectedMajority({.4, .3, .3}, 7, 3), .424, 1e-8);
  EXPECT_NEAR(ExpectedMajority({.4, .3, .3}, 8, 5), .44704, 1e-8);
  EXPECT_NEAR(ExpectedMajority({.4, .2, .2, .2}, 9, 5), .50944, 1e-8);
  EXPECT_NEAR(ExpectedMajority({.5, .3, .2}, 9, 4, /*silent=*/true),
              ExpectedMajority({.5, .3, .2}, 4, 4, /*silent=*/true), 1e-12);
}

// Enumerates the subsets of k of the samples themselves.
double BruteForce(const std::vector<AnswerCount>& answers, int64_t num_samples, int64_t k) {
  std::vector<size_t> votes;  // of each sample; answers.size(): none
  for (size_t i = 0; i < answers.size(); ++i) votes.insert(votes.end(), answers[i].count, i);
  votes.resize(num_samples, answers.size());
  double right = 0;
  double subsets = 0;
  for (uint32_t chosen = 0; chosen < (1u << num_samples); ++chosen) {
    if (__builtin_popcount(chosen) != k) continue;
    ++subsets;
    std::vector<int64_t> counts(answers.size(), 0);
    for (size_t s = 0; s < votes.size(); ++s) {
      if ((chosen >> s & 1) != 0 && votes[s] < answers.size()) ++counts[votes[s]];
    }
    int64_t most = 0;
    for (const int64_t count : counts) most = std::max(most, count);
    if (most == 0) continue;
    double winners = 0;
    double share = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != most) continue;
      ++winners;
      share += static_cast<double>(answers[i].num_right) / static_cast<double>(answers[i].count);
    }
    right += share / winners;
  }
  return right / subsets;
}

TEST(MajorityAtKTest, AgreesWithTheEnumerationOfAllSubsets) {
  const std::vector<std::vector<AnswerCount>> cases = {
      {{"7", 5, 5}, {"3", 4, 0}, {"1", 1, 0}},
      {{"7", 3, 3}, {"3", 3, 0}, {"1", 3, 0}},
      {{"7", 1, 1}},
      {{"7", 4, 2}, {"3", 2, 1}, {"1", 2, 0}, {"2", 1, 0}},  // an answer judged both ways
      {},
  };
  constexpr int64_t kSamples = 12;
  for (const auto& answers : cases) {
    for (int64_t k = 1; k <= kSamples; ++k) {
      EXPECT_NEAR(MajorityAtK(answers, kSamples, k), BruteForce(answers, kSamples, k), 1e-12)
          << answers.size() << " answers, k = " << k;
    }
  }
}

TEST(MajorityAtKTest, OfOneSampleIsTheShareOfRightOnes) {
  EXPECT_NEAR(MajorityAtK(std::vector<AnswerCount>{{"7", 5, 5}, {"3", 2, 0}}, 8, 1), .625, 1e-12);
}

TEST(MajorityAtKTest, StaysExactForTheLargestGroups) {
  // Two answers of equal counts are right half of the time, whatever is drawn.
  const std::vector<AnswerCount> even = {{"7", 2048, 2048}, {"3", 2048, 0}};
  EXPECT_NEAR(MajorityAtK(even, 4096, 64), .5, 1e-9);
}

TEST(MajorityAtKTest, RefusesMoreAnswersThanSamples) {
  EXPECT_THROW(MajorityAtK(std::vector<AnswerCount>{{"7", 5, 5}}, 4, 2), Error);
}

}  // namespace
}  // namespace ponder
