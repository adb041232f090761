// Estimates of what k samples of a prompt would do, from n >= k that were drawn. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ponder {

// Probability that at least one of k samples is right, from `num_right` right ones of
// `num_samples`: 1 - C(n-c, k) / C(n, k), unbiased (M. Chen et al., "Evaluating large language
// models trained on code", 2021, eq. 1), as a product, so that nothing overflows.
// 1 <= k <= num_samples, num_right <= num_samples.
double PassAtK(int64_t num_samples, int64_t num_right, int64_t k);

// One distinct answer among the samples of a prompt.
struct AnswerCount {
  std::string answer;
  int64_t count = 0;      // samples that gave it, >= 1
  int64_t num_right = 0;  // of those, samples that were judged right: normally all or none
};

// Probability that the most frequent answer of k samples is right, from `num_samples` samples of
// which `answers` counts those with an answer: the exact expectation over all subsets of k of the
// samples. Equally frequent answers win with equal probability; samples without an answer vote for
// nothing, and a subset of only such samples is wrong. Unbiased for k independent samples, because
// it averages a statistic of k samples over all subsets (Hoeffding, 1948).
// 1 <= k <= num_samples. Takes O(answers * k^3).
double MajorityAtK(std::span<const AnswerCount> answers, int64_t num_samples, int64_t k);

}  // namespace ponder
