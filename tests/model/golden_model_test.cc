// Compares the decoder with the expected values of Hugging Face folders below PONDER_GOLDEN_DIR:
// every folder that holds config.json, model.safetensors and expected.safetensors.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/weights/safetensors.h"
#include "model/decoder.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Folders of the form, or one empty name when there is none, which the tests report as a skip.
std::vector<std::string> GoldenFolders() {
  std::vector<std::string> found;
  const char* variable = std::getenv("PONDER_GOLDEN_DIR");
  std::stringstream list(variable == nullptr ? "" : variable);
  for (std::string root; std::getline(list, root, ':');) {
    if (!fs::is_directory(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().filename() != "expected.safetensors") continue;
      if (fs::exists(entry.path().parent_path() / "config.json")) {
        found.push_back(entry.path().parent_path().string());
      }
    }
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) found.emplace_back();
  return found;
}

// The tensors of a safetensors file by name.
std::map<std::string, at::Tensor> ReadTensors(const fs::path& path) {
  const std::string bytes = ReadAll(path);
  const SafetensorsHeader header = ParseSafetensors(bytes, path.string());
  const std::map<DType, at::ScalarType> dtypes = {
      {DType::kF32, at::kFloat}, {DType::kF64, at::kDouble}, {DType::kI64, at::kLong}};
  std::map<std::string, at::Tensor> tensors;
  for (const TensorSpec& spec : header.tensors) {
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    at::Tensor tensor = at::empty(shape, dtypes.at(spec.dtype));
    std::copy_n(bytes.data() + header.data_begin + spec.offset, spec.num_bytes(),
                static_cast<char*>(tensor.mutable_data_ptr()));
    tensors.emplace(spec.name, tensor);
  }
  return tensors;
}

std::vector<uint32_t> TokensOf(const at::Tensor& ids) {
  const int64_t* data = ids.const_data_ptr<int64_t>();
  return {data, data + ids.numel()};
}

// Absolute and relative tolerances as stated for these cases in float32.
constexpr double kLogitsAtol = 2e-4;
constexpr double kLogprobsAtol = 1e-4;
constexpr double kLossRtol = 1e-5;
constexpr double kGradNormRtol = 1e-4;
constexpr double kGradAtol = 1e-4;
constexpr double kGradRtol = 1e-3;
constexpr double kGreedyMargin = 1e-3;

class GoldenModel : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam().empty()) {
      GTEST_SKIP() << "PONDER_GOLDEN_DIR names no folder with config.json and expected.safetensors";
    }
    try {
      config_ = DecoderConfig::FromJson(ReadAll(folder() / "config.json"));
    } catch (const Error& error) {
      GTEST_SKIP() << folder().string() << " is of a form that is not supported: " << error.what();
    }
    if (!fs::exists(folder() / "model.safetensors")) {
      GTEST_SKIP() << folder().string() << " has no model.safetensors (sharded?)";
    }
    parameters_.emplace(config_, at::kFloat, /*trainable=*/true);
    const std::vector<char> flat =
        FlatFromSafetensors(ReadAll(folder() / "model.safetensors"),
                            (folder() / "model.safetensors").string(), parameters_->layout());
    parameters_->LoadBytes({flat.data(), flat.size()});
    decoder_.emplace(config_, *parameters_);
    expected_ = ReadTensors(folder() / "expected.safetensors");
    expected_json_ = nlohmann::json::parse(ReadAll(folder() / "expected.json"));
  }

  fs::path folder() const { return GetParam(); }

  // The real tokens of a padded batch.
  std::vector<std::vector<uint32_t>> Rows(const std::string& batch) const {
    const at::Tensor& ids = expected_.at(batch + ".input_ids");
    const at::Tensor mask = expected_.at(batch + ".attention_mask") == 1;
    std::vector<std::vector<uint32_t>> rows;
    for (int64_t b = 0; b < ids.size(0); ++b) {
      rows.push_back(TokensOf(ids[b].masked_select(mask[b])));
    }
    return rows;
  }

  DecoderConfig config_;
  std::optional<Parameters> parameters_;
  std::optional<Decoder> decoder_;
  std::map<std::string, at::Tensor> expected_;
  nlohmann::json expected_json_;
};

INSTANTIATE_TEST_SUITE_P(Folders, GoldenModel, ::testing::ValuesIn(GoldenFolders()));

void ExpectNear(const at::Tensor& got, const at::Tensor& expected, double atol,
                const std::string& what) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << what;
  if (got.numel() == 0) return;
  const double diff = (got.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  EXPECT_LE(diff, atol) << what;
}

TEST_P(GoldenModel, SingleSequences) {
  const c10::NoGradGuard no_grad;
  int num_cases = 0;
  for (; expected_.contains("single" + std::to_string(num_cases) + ".input_ids"); ++num_cases) {
    const std::string name = "single" + std::to_string(num_cases);
    const at::Tensor& ids = expected_.at(name + ".input_ids");
    const int64_t length = ids.numel();
    const std::vector<uint32_t> tokens = TokensOf(ids);
    const at::Tensor logits =
        decoder_->Logits(decoder_->Forward(PackedTokens::FromSequences({&tokens, 1})));
    ExpectNear(logits, expected_.at(name + ".logits"), kLogitsAtol, name + ".logits");
    // The entropy of position t is that of the distribution of token t + 1.
    const TokenScores scores = ScoreTokens(logits, ids, at::ones({length}));
    ExpectNear(scores.entropy, expected_.at(name + ".entropy"), kLogprobsAtol, name + ".entropy");
    if (length < 2) continue;
    const TokenScores next = ScoreTokens(logits.narrow(0, 0, length - 1),
                                         ids.narrow(0, 1, length - 1), at::ones({length - 1}));
    ExpectNear(next.logprobs, expected_.at(name + ".logprobs"), kLogprobsAtol, name + ".logprobs");
  }
  EXPECT_GT(num_cases, 0);
}

TEST_P(GoldenModel, PackedBatchEqualsPaddedBatches) {
  const c10::NoGradGuard no_grad;
  for (const std::string batch : {"batch_right", "batch_left"}) {
    const PackedTokens packed = PackedTokens::FromSequences(Rows(batch));
    const at::Tensor logits = decoder_->Logits(decoder_->Forward(packed));
    const at::Tensor mask = expected_.at(batch + ".attention_mask") == 1;  // [B, T]
    const at::Tensor expected = expected_.at(batch + ".logits").index({mask});
    ExpectNear(logits, expected, kLogitsAtol, batch);
  }
}

TEST_P(GoldenModel, LossAndGradients) {
  std::vector<at::Tensor> losses;
  for (const auto& row : Rows("batch_right")) {
    if (row.size() < 2) continue;
    const PackedTokens packed = PackedTokens::FromSequences({&row, 1});
    const int64_t count = static_cast<int64_t>(row.size()) - 1;
    const at::Tensor logits = decoder_->Logits(decoder_->Forward(packed).narrow(0, 0, count));
    losses.push_back(
        -ScoreTokens(logits, packed.token_ids.narrow(0, 1, count), at::ones({count})).logprobs);
  }
  const at::Tensor loss = at::cat(losses).mean();
  loss.backward();
  const nlohmann::json& ce = expected_json_.at("ce").at("fp64");
  const double expected_loss = ce.at("mean_ce");
  const double expected_norm = ce.at("grad_norm");
  EXPECT_NEAR(loss.item<double>(), expected_loss, kLossRtol * expected_loss);
  EXPECT_NEAR(parameters_->GatherGrad().norm().item<double>(), expected_norm,
              kGradNormRtol * expected_norm);
  for (const auto& [name, expected] : ReadTensors(folder() / "expected_grads.safetensors")) {
    EXPECT_TRUE(at::allclose(parameters_->Get(name).grad(), expected, kGradRtol, kGradAtol))
        << name;
  }
}

TEST_P(GoldenModel, GreedyContinuations) {
  for (const auto& item : expected_json_.at("greedy")) {
    const std::vector<uint32_t> prompt = item.at("prompt_ids");
    const std::vector<uint32_t> expected = item.at("continuation");
    const std::vector<double> margins = item.at("top1_minus_top2");
    KvCache cache(config_, at::kFloat, /*num_rows=*/1,
                  static_cast<int64_t>(prompt.size() + expected.size()));
    at::Tensor hidden = decoder_->Prefill(prompt, cache);
    for (size_t i = 0; i < expected.size(); ++i) {
      const at::Tensor token = decoder_->Logits(hidden).argmax(-1);
      if (token.item<int64_t>() != expected[i]) {
        // Rounding may choose the other of two near-equal tokens; what follows then differs too.
        EXPECT_LT(margins[i], kGreedyMargin) << "at token " << i;
        break;
      }
      hidden = decoder_->Step(token, cache);
    }
  }
}

}  // namespace
}  // namespace ponder
