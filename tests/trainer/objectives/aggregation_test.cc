#include "trainer/objectives/aggregation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "core/base/error.h"

namespace ponder {
namespace {

// Sum of weight * loss over all tokens.
double Aggregate(const std::vector<std::vector<double>>& losses,
                 const std::vector<double>& weights) {
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    for (const double loss : losses[i]) sum += weights[i] * loss;
  }
  return sum;
}

double Aggregate(const std::vector<std::vector<double>>& losses, Aggregation aggregation,
                 int64_t max_length) {
  std::vector<int64_t> num_tokens;
  for (const std::vector<double>& sequence : losses) {
    num_tokens.push_back(static_cast<int64_t>(sequence.size()));
  }
  return Aggregate(losses, TokenWeights(aggregation, num_tokens, max_length));
}

// Two tokens of large loss against six of small loss: every rule gives another number.
const std::vector<std::vector<double>> kUneven = {{2, 4}, {1, 1, 1, 1, 1, 1}};

TEST(TokenWeightsTest, EachRuleGivesItsTabulatedLoss) {
  EXPECT_NEAR(Aggregate(kUneven, Aggregation::kTokenMean, 8), 1.5, 1e-15);
  EXPECT_NEAR(Aggregate(kUneven, Aggregation::kSequenceMeanTokenMean, 8), 2.0, 1e-15);
  EXPECT_NEAR(Aggregate(kUneven, Aggregation::kSequenceMeanTokenSum, 8), 6.0, 1e-15);
  EXPECT_NEAR(Aggregate(kUneven, Aggregation::kConstantLength, 8), .75, 1e-15);
}

TEST(TokenWeightsTest, ASequenceWithoutTokensStaysInTheNumberOfSequences) {
  const std::vector<int64_t> num_tokens = {2, 0};
  EXPECT_EQ(TokenWeights(Aggregation::kSequenceMeanTokenSum, num_tokens, 0),
            (std::vector<double>{0.5, 0.0}));
  EXPECT_EQ(TokenWeights(Aggregation::kSequenceMeanTokenMean, num_tokens, 0),
            (std::vector<double>{0.25, 0.0}));
  EXPECT_EQ(TokenWeights(Aggregation::kTokenMean, num_tokens, 0), (std::vector<double>{0.5, 0.0}));
}

TEST(TokenWeightsTest, ConstantLengthRefusesALengthOfZero) {
  const std::vector<int64_t> num_tokens = {2};
  EXPECT_THROW(TokenWeights(Aggregation::kConstantLength, num_tokens, 0), Error);
}

// Weights are made from the whole minibatch, so cutting it into micro-batches changes nothing.
RC_GTEST_PROP(TokenWeightsTest, AnySplitIntoMicroBatchesSumsToTheSameLoss, ()) {
  const auto rule =
      *rc::gen::element(Aggregation::kTokenMean, Aggregation::kSequenceMeanTokenMean,
                        Aggregation::kSequenceMeanTokenSum, Aggregation::kConstantLength);
  const auto lengths =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 9)));
  std::vector<std::vector<double>> losses;
  std::vector<int64_t> num_tokens;
  for (const int length : lengths) {
    losses.push_back(*rc::gen::container<std::vector<double>>(
        static_cast<size_t>(length),
        rc::gen::map(rc::gen::inRange(-1000, 1000), [](int x) { return x / 128.0; })));
    num_tokens.push_back(length);
  }
  const std::vector<double> weights = TokenWeights(rule, num_tokens, 16);
  const double whole = Aggregate(losses, weights);

  const auto micro_batches = *rc::gen::inRange<size_t>(1, 5);
  std::vector<double> parts(micro_batches, 0.0);
  for (size_t i = 0; i < losses.size(); ++i) {
    const auto part = *rc::gen::inRange<size_t>(0, micro_batches);
    parts[part] += Aggregate({losses[i]}, {weights[i]});
  }
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  RC_ASSERT(std::abs(sum - whole) <=
            1e-12 * (1.0 + std::abs(whole)) * static_cast<double>(losses.size()));
}

TEST(ParseAggregationTest, ReadsEveryNameAndRefusesOthers) {
  EXPECT_EQ(ParseAggregation("token_mean"), Aggregation::kTokenMean);
  EXPECT_EQ(ParseAggregation("sequence_mean_token_mean"), Aggregation::kSequenceMeanTokenMean);
  EXPECT_EQ(ParseAggregation("sequence_mean_token_sum"), Aggregation::kSequenceMeanTokenSum);
  EXPECT_EQ(ParseAggregation("constant_length"), Aggregation::kConstantLength);
  EXPECT_THROW(ParseAggregation("mean"), ConfigError);
}

}  // namespace
}  // namespace ponder
