// Whole updates (forward, gradient, clipping, AdamW) against trajectories of torch.optim.AdamW, for
// every model folder below PONDER_GOLDEN_DIR whose expected.json has an optimizer_trajectory.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/weights/safetensors.h"
#include "model/decoder.h"
#include "trainer/comm/communicator.h"
#include "trainer/optim/sharded_optimizer.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> ModelFolders() {
  std::vector<std::string> folders;
  const char* variable = std::getenv("PONDER_GOLDEN_DIR");
  std::istringstream list(variable == nullptr ? "" : variable);
  for (std::string root; std::getline(list, root, ':');) {
    if (!fs::is_directory(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const fs::path folder = entry.path().parent_path();
      if (entry.path().filename() == "expected.json" && fs::exists(folder / "config.json")) {
        folders.push_back(folder.string());
      }
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// The sequences of batch_right without their padding.
std::vector<std::vector<uint32_t>> Sequences(const fs::path& folder) {
  const std::string path = (folder / "expected.safetensors").string();
  const std::string bytes = ReadAll(path);
  const SafetensorsHeader header = ParseSafetensors(bytes, path);
  const auto find = [&](const std::string& name) -> const TensorSpec& {
    const auto spec = std::find_if(header.tensors.begin(), header.tensors.end(),
                                   [&](const TensorSpec& tensor) { return tensor.name == name; });
    PONDER_CHECK(spec != header.tensors.end()) << path << " has no " << name;
    return *spec;
  };
  const auto values = [&](const TensorSpec& spec) {
    const at::Tensor tensor = at::empty({static_cast<int64_t>(spec.num_elements())}, at::kLong);
    std::copy_n(bytes.data() + header.data_begin + spec.offset, spec.num_bytes(),
                static_cast<char*>(tensor.mutable_data_ptr()));
    return tensor;
  };
  const TensorSpec& spec = find("batch_right.input_ids");
  const at::Tensor ids = values(spec);
  const at::Tensor mask = values(find("batch_right.attention_mask"));
  const auto length = static_cast<int64_t>(spec.shape[1]);
  std::vector<std::vector<uint32_t>> sequences(spec.shape[0]);
  for (int64_t i = 0; i < ids.numel(); ++i) {
    if (mask[i].item<int64_t>() == 0) continue;
    sequences[static_cast<size_t>(i / length)].push_back(
        static_cast<uint32_t>(ids[i].item<int64_t>()));
  }
  return sequences;
}

// Mean cross-entropy over all tokens but the first of each sequence.
at::Tensor Loss(const Decoder& decoder, const std::vector<std::vector<uint32_t>>& sequences) {
  std::vector<int64_t> rows;
  std::vector<int64_t> targets;
  int64_t begin = 0;
  for (const std::vector<uint32_t>& sequence : sequences) {
    for (size_t t = 1; t < sequence.size(); ++t) {
      rows.push_back(begin + static_cast<int64_t>(t) - 1);
      targets.push_back(sequence[t]);
    }
    begin += static_cast<int64_t>(sequence.size());
  }
  const at::Tensor hidden =
      decoder.Forward(PackedTokens::FromSequences(sequences))
          .index_select(0, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong));
  return -ScoreTokens(decoder.Logits(hidden), at::tensor(at::ArrayRef<int64_t>(targets), at::kLong),
                      at::ones({static_cast<int64_t>(rows.size())}, at::kDouble))
              .logprobs.mean();
}

class GoldenOptimizer : public testing::TestWithParam<std::string> {};

TEST_P(GoldenOptimizer, FollowsTheTrajectoriesOfAdamW) {
  const fs::path folder = GetParam();
  const Json expected = Json::parse(ReadAll(folder / "expected.json"));
  if (!expected.contains("optimizer_trajectory")) GTEST_SKIP() << folder << " has no trajectory";
  if (!fs::exists(folder / "model.safetensors")) GTEST_SKIP() << folder << " is sharded";
  std::optional<DecoderConfig> config;
  try {
    config = DecoderConfig::FromJson(ReadAll(folder / "config.json"));
  } catch (const Error& error) {
    GTEST_SKIP() << folder << " is of a form that is not supported: " << error.what();
  }
  Parameters saved(*config, at::kFloat, /*trainable=*/false);
  const std::string path = (folder / "model.safetensors").string();
  const std::vector<char> flat = FlatFromSafetensors(ReadAll(path), path, saved.layout());
  saved.LoadBytes({flat.data(), flat.size()});
  const std::vector<std::vector<uint32_t>> sequences = Sequences(folder);

  for (const auto& [name, trajectory] : expected.at("optimizer_trajectory").items()) {
    SCOPED_TRACE(folder.string() + " trajectory " + name);
    Parameters parameters(*config, at::kDouble, /*trainable=*/true);
    parameters.ScatterValues(saved.GatherValues().to(at::kDouble));
    const Decoder decoder(*config, parameters);
    OptimizerConfig settings;
    settings.betas = trajectory.at("betas").get<std::vector<double>>();
    settings.epsilon = trajectory.at("eps").get<double>();
    settings.weight_decay = trajectory.at("weight_decay").get<double>();
    const Json& clip = trajectory.at("clip_grad_norm");
    settings.max_grad_norm = clip.is_null() ? 0.0 : clip.get<double>();
    const std::unique_ptr<Communicator> comm = MakeLocalCommunicator();
    ShardedOptimizer optimizer(parameters, *comm, settings);

    const auto rates = trajectory.at("lr_per_step").get<std::vector<double>>();
    const auto losses =
        trajectory.at("loss_before_each_step_then_final").get<std::vector<double>>();
    const auto norms = trajectory.at("grad_norm_before_clip").get<std::vector<double>>();
    // The reference computes norms and rotary angles in float32 inside a float64 model.
    constexpr double kRelative = 1e-6;
    for (size_t step = 0; step < rates.size(); ++step) {
      parameters.ZeroGrad();
      const at::Tensor loss = Loss(decoder, sequences);
      EXPECT_NEAR(loss.item<double>(), losses[step], kRelative * losses[step]) << step;
      loss.backward();
      const OptimizerStep done = optimizer.Step(rates[step]);
      EXPECT_NEAR(done.grad_norm, norms[step], kRelative * norms[step]) << step;
    }
    const double last = Loss(decoder, sequences).item<double>();
    EXPECT_NEAR(last, losses.back(), kRelative * losses.back());
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenOptimizer);
INSTANTIATE_TEST_SUITE_P(Folders, GoldenOptimizer, testing::ValuesIn(ModelFolders()),
                         [](const auto& row) {
                           std::string name = fs::path(row.param).filename().string();
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name + "_" + std::to_string(row.index);
                         });

TEST(GoldenFolders, HoldModels) {
  if (ModelFolders().empty()) GTEST_SKIP() << "PONDER_GOLDEN_DIR names no model folder";
}

}  // namespace
}  // namespace ponder
