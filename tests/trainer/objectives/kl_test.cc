#include "trainer/objectives/kl.h"

#include <gtest/gtest.h>

#include "tests/trainer/objectives/finite_difference.h"

namespace ponder {
namespace {

at::Tensor Vector(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

double Estimate(KlEstimator estimator, double logprob, double reference) {
  return EstimateKl(estimator, Vector({logprob}), Vector({reference})).item<double>();
}

TEST(EstimateKlTest, GivesTheTabulatedValues) {
  struct Row {
    double logprob, reference, k1, k2, k3;
  };
  for (const Row& row :
       {Row{-1.0, -1.2, .2, .02, .0187307531}, Row{-.5, -.4, -.1, .005, .0051709181},
        Row{-2, -1, -1, .5, .7182818285}, Row{-.1, -3, 2.9, 4.205, 1.9550232201}}) {
    SCOPED_TRACE(testing::Message() << row.logprob << " against " << row.reference);
    EXPECT_NEAR(Estimate(KlEstimator::kK1, row.logprob, row.reference), row.k1, 1e-10);
    EXPECT_NEAR(Estimate(KlEstimator::kK2, row.logprob, row.reference), row.k2, 1e-10);
    EXPECT_NEAR(Estimate(KlEstimator::kK3, row.logprob, row.reference), row.k3, 1e-10);
  }
}

// Three tokens, small enough to enumerate the expectation over samples of the policy.
class ThreeTokens : public testing::Test {
 protected:
  at::Tensor policy_ = Vector({.5, .3, .2});
  at::Tensor reference_ = Vector({.4, .4, .2});

  double ExpectedValue(KlEstimator estimator) const {
    return (policy_ * EstimateKl(estimator, policy_.log(), reference_.log())).sum().item<double>();
  }
  // Mean over samples of the estimator's gradient with respect to the policy's logits.
  at::Tensor ExpectedGradient(KlEstimator estimator) const {
    return AutogradOf(
        [&](const at::Tensor& logits) {
          return (policy_ * EstimateKl(estimator, logits.log_softmax(0), reference_.log())).sum();
        },
        policy_.log());
  }
};

TEST_F(ThreeTokens, K1AndK3AreUnbiasedInValueAndK2Nearly) {
  EXPECT_NEAR(ExpectedValue(KlEstimator::kK1), .0252671539, 1e-10);
  EXPECT_NEAR(ExpectedValue(KlEstimator::kK3), .0252671539, 1e-10);
  EXPECT_NEAR(ExpectedValue(KlEstimator::kK2), .0248624073, 1e-10);
}

TEST_F(ThreeTokens, AsALossK1TeachesNothingK2TheDivergenceAndK3ItsReverse) {
  const auto expect_near = [](const at::Tensor& actual, const at::Tensor& expected) {
    EXPECT_TRUE(at::allclose(actual, expected, 0.0, 1e-9)) << actual << expected;
  };
  expect_near(ExpectedGradient(KlEstimator::kK1), Vector({0, 0, 0}));
  expect_near(ExpectedGradient(KlEstimator::kK2), Vector({.098938199, -.093884768, -.005053431}));
  expect_near(ExpectedGradient(KlEstimator::kK3), policy_ - reference_);
  const at::Tensor exact = AutogradOf(
      [&](const at::Tensor& logits) {
        return (logits.softmax(0) * (logits.log_softmax(0) - reference_.log())).sum();
      },
      policy_.log());
  expect_near(ExpectedGradient(KlEstimator::kK2), exact);
}

TEST(EstimateKlTest, MatchesFiniteDifferences) {
  const at::Tensor reference = Vector({-1.0, -2.0, -.5, -3.0});
  for (const KlEstimator estimator : {KlEstimator::kK1, KlEstimator::kK2, KlEstimator::kK3}) {
    ExpectGradientMatchesDifferences(
        [&](const at::Tensor& logprobs) {
          return EstimateKl(estimator, logprobs, reference).sum();
        },
        Vector({-1.1, -.4, -.5, -5.0}));
  }
}

TEST(EstimateKlTest, K3StaysFiniteAndNonNegative) {
  for (const double q : {-1e4, -30.0, -1e-9, 0.0, 1e-9, 30.0, 300.0}) {
    const double k3 = Estimate(KlEstimator::kK3, -400.0, -400.0 + q);
    EXPECT_TRUE(std::isfinite(k3)) << q;
    EXPECT_GE(k3, 0.0) << q;
  }
}

}  // namespace
}  // namespace ponder
