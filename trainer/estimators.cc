#include "trainer/estimators.h"

#include <algorithm>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

// C(n, 0) .. C(n, k). Below 1e308 for all n of a group and k <= kMaxMajoritySize.
std::vector<double> Binomials(int64_t n, int64_t k) {
  std::vector<double> row(static_cast<size_t>(k) + 1, 0.0);
  row[0] = 1;
  for (int64_t i = 1; i <= std::min(n, k); ++i) {
    row[static_cast<size_t>(i)] =
        row[static_cast<size_t>(i) - 1] * static_cast<double>(n - i + 1) / static_cast<double>(i);
  }
  return row;
}

// Ways to choose samples so far: [votes used][rivals with exactly as many votes as the winner].
class Ways {
 public:
  Ways(size_t max_votes, size_t max_ties)
      : width_(max_ties + 1), max_votes_(max_votes), ways_((max_votes + 1) * width_, 0.0) {}
  double& At(size_t votes, size_t ties) { return ways_[votes * width_ + ties]; }

  // Adds a rival that may be chosen up to `limit` times, in choices[c] ways; `limit` times is a
  // tie.
  void AddRival(const std::vector<double>& choices, size_t limit) {
    Ways next(max_votes_, width_ - 1);
    for (size_t votes = 0; votes <= max_votes_; ++votes) {
      for (size_t ties = 0; ties < width_; ++ties) {
        const double ways = At(votes, ties);
        if (ways == 0) continue;
        for (size_t c = 0; c <= limit && votes + c <= max_votes_ && choices[c] > 0; ++c) {
          // More ties than votes allow cannot happen: each costs `limit` votes.
          next.At(votes + c, ties + (c == limit ? 1 : 0)) += ways * choices[c];
        }
      }
    }
    ways_ = std::move(next.ways_);
  }

 private:
  size_t width_;
  size_t max_votes_;
  std::vector<double> ways_;
};

// Sum over subsets that `winner` wins, each divided by how many answers are tied with it.
double WinningWays(const std::vector<std::vector<double>>& choices, size_t winner,
                   const std::vector<double>& silent, size_t k) {
  double total = 0;
  for (size_t votes = 1; votes <= k && choices[winner][votes] > 0; ++votes) {
    const size_t rest = k - votes;
    Ways ways(rest, rest / votes);
    ways.At(0, 0) = 1;
    for (size_t rival = 0; rival < choices.size(); ++rival) {
      if (rival != winner) ways.AddRival(choices[rival], votes);
    }
    double shares = 0;
    for (size_t used = 0; used <= rest; ++used) {
      for (size_t ties = 0; ties <= rest / votes; ++ties) {
        shares += ways.At(used, ties) * silent[rest - used] / static_cast<double>(1 + ties);
      }
    }
    total += choices[winner][votes] * shares;
  }
  return total;
}

}  // namespace

double PassAtK(int64_t num_samples, int64_t num_right, int64_t k) {
  PONDER_CHECK(1 <= k && k <= num_samples && 0 <= num_right && num_right <= num_samples)
      << "pass@" << k << " from " << num_right << " right of " << num_samples << " samples";
  double none_right = 1;
  for (int64_t i = num_samples - num_right + 1; i <= num_samples; ++i) {
    none_right *= std::max(0.0, 1 - static_cast<double>(k) / static_cast<double>(i));
  }
  return 1 - none_right;
}

double MajorityAtK(std::span<const AnswerCount> answers, int64_t num_samples, int64_t k) {
  int64_t num_answered = 0;
  std::vector<std::vector<double>> choices;
  for (const AnswerCount& answer : answers) {
    PONDER_CHECK(answer.count >= 1 && 0 <= answer.num_right && answer.num_right <= answer.count)
        << "answer '" << answer.answer << "' of " << answer.count << " samples, "
        << answer.num_right << " of them right";
    num_answered += answer.count;
    choices.push_back(Binomials(answer.count, k));
  }
  PONDER_CHECK(1 <= k && k <= num_samples && num_answered <= num_samples)
      << "maj@" << k << " from " << num_answered << " answers of " << num_samples << " samples";
  const std::vector<double> silent = Binomials(num_samples - num_answered, k);
  const double subsets = Binomials(num_samples, k).back();
  double right = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].num_right == 0) continue;
    const double share =
        static_cast<double>(answers[i].num_right) / static_cast<double>(answers[i].count);
    right += share * WinningWays(choices, i, silent, static_cast<size_t>(k)) / subsets;
  }
  return std::min(1.0, right);
}

}  // namespace ponder
