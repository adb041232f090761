#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "model/decoder.h"

namespace ponder {
namespace {

TokenScores ScoreRows(const std::vector<std::vector<double>>& rows,
                      const std::vector<int64_t>& targets, at::ScalarType dtype) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(at::tensor(row, at::kDouble));
  return ScoreTokens(at::stack(tensors).to(dtype), at::tensor(targets),
                     at::ones({static_cast<int64_t>(rows.size())}));
}

TEST(ScoreTokens, ExtremeLogitsGiveFiniteScores) {
  // From an independent float64 implementation.
  const std::vector<std::vector<double>> logits = {
      {1e4, 0, -1e4}, {88, 88, 88}, {-1e30, 0, 1}, {700, 699, 0}};
  const std::vector<double> logprobs = {-10000.0, -1.0986122886681098, -1e30, -700.3132616875182};
  const std::vector<double> entropy = {0.0, 1.0986122886681096, 0.5822031088882179,
                                       0.5822031088882179};
  for (const auto& [dtype, rtol] : {std::pair{at::kFloat, 1e-4}, {at::kDouble, 1e-9}}) {
    const TokenScores scores = ScoreRows(logits, {1, 0, 0, 2}, dtype);
    EXPECT_TRUE(at::allclose(scores.logprobs.to(at::kDouble), at::tensor(logprobs, at::kDouble),
                             rtol,
                             /*atol=*/0));
    EXPECT_TRUE(at::allclose(scores.entropy.to(at::kDouble), at::tensor(entropy, at::kDouble), rtol,
                             /*atol=*/1e-9));
  }
}

TEST(ScoreTokens, ImpossibleTokensDoNotBreakTheEntropy) {
  const double inf = std::numeric_limits<double>::infinity();
  const TokenScores scores = ScoreRows({{-inf, 0, 0}}, {1}, at::kFloat);
  EXPECT_NEAR(scores.logprobs.item<double>(), -std::log(2.0), 1e-6);
  EXPECT_NEAR(scores.entropy.item<double>(), std::log(2.0), 1e-6);
}

TEST(ScoreTokens, EachRowHasItsOwnTemperature) {
  const at::Tensor logits = at::tensor({1.0, 3.0, 1.0, 3.0}, at::kDouble).view({2, 2});
  const TokenScores scores = ScoreTokens(logits, at::tensor(std::vector<int64_t>{0, 0}),
                                         at::tensor({1.0, 0.5}, at::kDouble));
  EXPECT_NEAR(scores.logprobs[0].item<double>(), -std::log1p(std::exp(2.0)), 1e-12);
  EXPECT_NEAR(scores.logprobs[1].item<double>(), -std::log1p(std::exp(4.0)), 1e-12);
}

TEST(ScoreTokens, GradientIsOneHotMinusSoftmaxOverTemperature) {
  const at::Tensor logits =
      at::tensor({0.5, -1.0, 2.0}, at::kDouble).view({1, 3}).clone().requires_grad_();
  const TokenScores scores =
      ScoreTokens(logits, at::tensor(std::vector<int64_t>{2}), at::tensor({0.7}, at::kDouble));
  EXPECT_FALSE(scores.entropy.requires_grad());
  scores.logprobs.sum().backward();
  const at::Tensor one_hot = at::tensor({0.0, 0.0, 1.0}, at::kDouble).view({1, 3});
  const at::Tensor expected = (one_hot - at::softmax(logits.detach() / 0.7, -1)) / 0.7;
  EXPECT_TRUE(at::allclose(logits.grad(), expected, /*rtol=*/1e-12));
}

TEST(ScoreTokens, WrongShapesNameTheArgument) {
  EXPECT_THROW(ScoreTokens(at::zeros({2, 3}), at::zeros({3}, at::kLong), at::ones({2})), Error);
  EXPECT_THROW(ScoreTokens(at::zeros({2, 3}), at::zeros({2}, at::kLong), at::ones({1})), Error);
  EXPECT_THROW(ScoreTokens(at::zeros({3}), at::zeros({3}, at::kLong), at::ones({3})), Error);
}

// Cases of kind logsoftmax_stability in every losses/*.json below PONDER_GOLDEN_DIR.
TEST(ScoreTokens, AgreesWithGoldenStabilityCases) {
  const char* folders = std::getenv("PONDER_GOLDEN_DIR");
  if (folders == nullptr) GTEST_SKIP() << "PONDER_GOLDEN_DIR is not set";
  int num_cases = 0;
  std::stringstream list(folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    const std::filesystem::path losses = std::filesystem::path(folder) / "losses";
    if (!std::filesystem::is_directory(losses)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(losses)) {
      if (entry.path().extension() != ".json") continue;
      std::ifstream file(entry.path());
      const nlohmann::json content = nlohmann::json::parse(file);
      for (const auto& item : content.at("cases")) {
        if (item.at("kind") != "logsoftmax_stability") continue;
        SCOPED_TRACE(entry.path().string() + " " + item.at("name").get<std::string>());
        const auto& inputs = item.at("inputs");
        const TokenScores scores =
            ScoreRows(inputs.at("logits"), inputs.at("token_ids"), at::kDouble);
        for (const auto& [name, got] :
             {std::pair{"logprobs", scores.logprobs}, {"entropy", scores.entropy}}) {
          const std::vector<double> expected = item.at("expected").at(name);
          EXPECT_TRUE(at::allclose(got, at::tensor(expected, at::kDouble), 1e-9, 1e-12)) << name;
        }
        ++num_cases;
      }
    }
  }
  if (num_cases == 0) GTEST_SKIP() << "no case of kind logsoftmax_stability in " << folders;
}

}  // namespace
}  // namespace ponder
