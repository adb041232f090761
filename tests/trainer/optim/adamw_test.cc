#include "trainer/optim/adamw.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

OptimizerConfig Config(double weight_decay) {
  OptimizerConfig config;
  config.betas = {.9, .98};
  config.epsilon = 1e-8;
  config.weight_decay = weight_decay;
  return config;
}

at::Tensor Normal(int64_t count, uint32_t sample, at::ScalarType dtype) {
  const RandomStream random(3, RandomPurpose::kTest, 0, sample);
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(random.Normal(static_cast<uint32_t>(i)));
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).to(dtype);
}

TEST(AdamWTest, FollowsATrajectoryWorkedOutByHand) {
  AdamW adamw(at::ones({1}, at::kDouble), Config(.1));
  struct Row {
    double gradient, learning_rate, weight, exp_avg, exp_avg_sq;
  };
  for (const Row& row :
       {Row{.5, .1, 0.890000002, .05, .005}, Row{-1.0, .1, 0.9176053928168864, -.055, .0249},
        Row{.25, .05, 0.919861592463588, -.0245, .025652}}) {
    adamw.Step(at::full({1}, row.gradient, at::kDouble), 1.0, row.learning_rate);
    EXPECT_NEAR(adamw.master().item<double>(), row.weight, 1e-12);
    EXPECT_NEAR(adamw.exp_avg().item<double>(), row.exp_avg, 1e-15);
    EXPECT_NEAR(adamw.exp_avg_sq().item<double>(), row.exp_avg_sq, 1e-15);
  }
  EXPECT_EQ(adamw.num_updates(), 3);
}

class AgainstAten : public testing::TestWithParam<at::ScalarType> {};

TEST_P(AgainstAten, MatchesItsFusedKernel) {
  const at::ScalarType dtype = GetParam();
  const int64_t count = 1000;
  const OptimizerConfig config = Config(.01);
  const at::Tensor weights = Normal(count, 0, dtype);
  AdamW adamw(weights, config);
  const at::Tensor expected = weights.clone();
  const at::Tensor exp_avg = at::zeros_like(weights);
  const at::Tensor exp_avg_sq = at::zeros_like(weights);
  for (uint32_t update = 1; update <= 20; ++update) {
    const at::Tensor gradient = Normal(count, update, dtype);
    const double learning_rate = 1e-2 / update;
    adamw.Step(gradient, 1.0, learning_rate);
    // The kernel takes the number of this update.
    const at::Tensor step = at::full({}, static_cast<double>(update), at::kFloat);
    at::_fused_adamw_({expected}, {gradient}, {exp_avg}, {exp_avg_sq}, {}, {step}, learning_rate,
                      config.betas[0], config.betas[1], config.weight_decay, config.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  const double tolerance = dtype == at::kDouble ? 1e-12 : 1e-5;
  EXPECT_TRUE(at::allclose(adamw.master(), expected, tolerance, tolerance * 1e-2))
      << (adamw.master() - expected).abs().max();
  EXPECT_TRUE(at::allclose(adamw.exp_avg_sq(), exp_avg_sq, tolerance, tolerance * 1e-2));
}

INSTANTIATE_TEST_SUITE_P(DTypes, AgainstAten, testing::Values(at::kDouble, at::kFloat));

TEST(AdamWTest, EveryElementDependsOnItselfAlone) {
  const int64_t count = 101;
  const at::Tensor weights = Normal(count, 0, at::kFloat);
  const at::Tensor gradient = Normal(count, 1, at::kFloat);
  AdamW whole(weights, Config(.01));
  AdamW part(weights.slice(0, 37, 101), Config(.01));
  for (int update = 0; update < 3; ++update) {
    whole.Step(gradient, 0.7, 1e-2);
    part.Step(gradient.slice(0, 37, 101), 0.7, 1e-2);
  }
  EXPECT_TRUE(at::equal(whole.master().slice(0, 37, 101), part.master()));
}

TEST(AdamWTest, TheScaleMultipliesTheGradient) {
  const at::Tensor weights = Normal(50, 0, at::kDouble);
  const at::Tensor gradient = Normal(50, 1, at::kDouble);
  AdamW scaled(weights, Config(0));
  AdamW plain(weights, Config(0));
  scaled.Step(gradient, 0.25, 1e-2);
  plain.Step(gradient * 0.25, 1.0, 1e-2);
  EXPECT_TRUE(at::equal(scaled.master(), plain.master()));
  EXPECT_TRUE(at::equal(scaled.exp_avg(), plain.exp_avg()));
}

TEST(AdamWTest, LeavesTheWeightsItWasMadeFromAlone) {
  const at::Tensor weights = Normal(5, 0, at::kFloat);
  const at::Tensor before = weights.clone();
  AdamW(weights, Config(0)).Step(Normal(5, 1, at::kFloat), 1.0, 1.0);
  EXPECT_TRUE(at::equal(weights, before));
}

TEST(AdamWTest, RefusesSettingsOutsideTheirRange) {
  const at::Tensor weights = at::ones({1}, at::kFloat);
  OptimizerConfig config = Config(0);
  config.betas = {.9};
  EXPECT_THROW(AdamW(weights, config), ConfigError);
  config.betas = {.9, 1.0};
  EXPECT_THROW(AdamW(weights, config), ConfigError);
  config = Config(0);
  config.epsilon = 0.0;
  EXPECT_THROW(AdamW(weights, config), ConfigError);
}

TEST(AdamWTest, RefusesAGradientOfAnotherShapeOrDtype) {
  AdamW adamw(at::ones({2}, at::kFloat), Config(0));
  EXPECT_THROW(adamw.Step(at::ones({3}, at::kFloat), 1.0, 1.0), Error);
  EXPECT_THROW(adamw.Step(at::ones({2}, at::kDouble), 1.0, 1.0), Error);
}

}  // namespace
}  // namespace ponder
