// Losses against numbers from independent implementations, read from the folders that the
// environment variable PONDER_GOLDEN_DIR names (colon-separated). Every case is a test of its own,
// FILE_CASE; a kind or a setting that Ponder does not have is a skipped test with its name.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "trainer/objectives/advantages.h"
#include "trainer/objectives/aggregation.h"
#include "trainer/objectives/importance.h"
#include "trainer/objectives/kl.h"
#include "trainer/objectives/policy_loss.h"

namespace ponder {
namespace {

using Json = nlohmann::json;

constexpr double kRelative = 1e-9;
constexpr double kAbsolute = 1e-12;  // rounding around exact zeros

struct GoldenCase {
  std::string file;
  std::string family;
  std::string name;
  Json json;
  std::string problem;  // of reading the file; empty when it could be read
};

void PrintTo(const GoldenCase& golden, std::ostream* out) {
  *out << golden.file << " case " << golden.name;
}

// Thrown by a check that meets a setting Ponder does not have.
struct Unsupported {
  std::string what;
};

at::Tensor ToTensor(const Json& json) {
  std::vector<int64_t> shape;
  for (const Json* level = &json; level->is_array(); level = &level->at(0)) {
    shape.push_back(static_cast<int64_t>(level->size()));
    if (level->empty()) break;
  }
  std::vector<double> values;
  const std::function<void(const Json&)> flatten = [&](const Json& node) {
    if (!node.is_array()) return values.push_back(node.get<double>());
    for (const Json& child : node) flatten(child);
  };
  flatten(json);
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).view(shape);
}

// The input of that name; undefined when absent or null.
at::Tensor Input(const Json& golden, const char* name) {
  const Json& inputs = golden.at("inputs");
  if (!inputs.contains(name) || inputs.at(name).is_null()) return {};
  return ToTensor(inputs.at(name));
}

const Json& ConfigOf(const Json& golden) {
  static const Json empty = Json::object();
  return golden.contains("config") ? golden.at("config") : empty;
}

void ExpectClose(const at::Tensor& actual, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  const at::Tensor error = (actual - expected).abs();
  const at::Tensor allowed = expected.abs() * kRelative + kAbsolute;
  EXPECT_TRUE((error <= allowed).all().item<bool>())
      << what << ": largest error " << error.max().item<double>();
}

void ExpectClose(double actual, const Json& expected, const std::string& what) {
  const auto value = expected.get<double>();
  EXPECT_NEAR(actual, value, std::abs(value) * kRelative + kAbsolute) << what;
}

// Checks `actual` when the case has an expectation of that name.
void ExpectIfGiven(const Json& golden, const char* name, const at::Tensor& actual) {
  const Json& expected = golden.at("expected");
  if (!expected.contains(name)) return;
  if (expected.at(name).is_array()) {
    ExpectClose(actual, ToTensor(expected.at(name)), name);
  } else {
    ExpectClose(actual.item<double>(), expected.at(name), name);
  }
}

// The inputs that losses over tokens share: B sequences padded to T.
struct TokenBatch {
  explicit TokenBatch(const Json& golden)
      : logits(Input(golden, "logits").requires_grad_()),
        token_ids(Input(golden, "token_ids").to(at::kLong)),
        mask(Input(golden, "response_mask")) {
    const int64_t rows = token_ids.numel();
    const TokenScores scores =
        ScoreTokens(logits.view({rows, -1}), token_ids.view({rows}), at::ones({rows}, at::kDouble));
    logprobs = scores.logprobs.view_as(token_ids);
    logprobs.retain_grad();
    entropy = scores.entropy.view_as(token_ids);
  }

  std::vector<int64_t> NumTokens() const {
    const at::Tensor counts = mask.sum(1).to(at::kLong).contiguous();
    return {counts.const_data_ptr<int64_t>(), counts.const_data_ptr<int64_t>() + counts.numel()};
  }
  // [B, T], 0 outside the mask.
  at::Tensor Weights(Aggregation aggregation, int64_t max_length) const {
    const std::vector<double> weights = TokenWeights(aggregation, NumTokens(), max_length);
    return at::tensor(at::ArrayRef<double>(weights), at::kDouble).unsqueeze(1) * mask;
  }
  at::Tensor TokenMean(const at::Tensor& values) const {
    return (values * mask).sum() / mask.sum();
  }

  at::Tensor logits;     // [B, T, V]
  at::Tensor token_ids;  // [B, T] int64
  at::Tensor mask;       // [B, T]
  at::Tensor logprobs;   // [B, T]
  at::Tensor entropy;    // [B, T]
};

// The weights of tokens under the name that a case gives its rule.
at::Tensor WeightsByName(const Json& config, const TokenBatch& batch) {
  const auto name = config.at("aggregation").get<std::string>();
  const auto sequences = static_cast<double>(batch.mask.size(0));
  if (name == "token-mean" || name == "bnpo") return batch.Weights(Aggregation::kTokenMean, 0);
  if (name == "grpo") return batch.Weights(Aggregation::kSequenceMeanTokenMean, 0);
  if (name == "dr_grpo") {
    return batch.Weights(Aggregation::kConstantLength,
                         config.at("max_completion_length").get<int64_t>());
  }
  if (name == "dapo") {
    // The token mean over a larger batch, of which these sequences are a part.
    const double scale =
        batch.mask.sum().item<double>() / config.at("num_items_in_batch").get<double>();
    return batch.Weights(Aggregation::kTokenMean, 0) * scale;
  }
  // verl's means over sequences leave empty ones out, ours keep them; its normaliser by length has
  // no number of sequences.
  const double filled = (batch.mask.sum(1) > 0).sum().item<double>();
  if (name == "seq-mean-token-sum") {
    return batch.Weights(Aggregation::kSequenceMeanTokenSum, 0) * (sequences / filled);
  }
  if (name == "seq-mean-token-mean") {
    return batch.Weights(Aggregation::kSequenceMeanTokenMean, 0) * (sequences / filled);
  }
  if (name == "seq-mean-token-sum-norm") {
    const auto length = config.at("norm_constant_for_token-sum-norm").get<int64_t>();
    return batch.Weights(Aggregation::kConstantLength, length) * sequences;
  }
  throw Unsupported{"aggregation " + name};
}

ClipRange ClipOf(const Json& config) {
  ClipRange clip;
  if (config.contains("clip")) {
    clip.low = clip.high = config.at("clip").get<double>();
  } else {
    clip.low = config.at("clip_low").get<double>();
    clip.high = config.at("clip_high").get<double>();
  }
  const Json dual = config.value("dual_clip_c", Json());
  const Json delta = config.value("two_sided_clip_delta", Json());
  if (!dual.is_null()) clip.dual = dual.get<double>();
  if (!delta.is_null()) {
    // A cap of the ratio above the clip range acts on negative advantages only: the dual clip.
    if (delta.get<double>() < 1.0 + clip.high) throw Unsupported{"delta inside the clip range"};
    clip.dual = delta.get<double>();
  }
  return clip;
}

KlEstimator EstimatorOf(const std::string& name) {
  if (name == "k1") return KlEstimator::kK1;
  if (name == "k2") return KlEstimator::kK2;
  if (name == "k3") return KlEstimator::kK3;
  throw Unsupported{"estimator " + name};
}

// [B, T], or nothing where the case has no importance weights.
at::Tensor ImportanceOf(const Json& golden, const TokenBatch& batch, const at::Tensor& old) {
  const Json& config = ConfigOf(golden);
  const at::Tensor given = Input(golden, "is_weights");
  if (given.defined()) return given;
  const at::Tensor rollout = Input(golden, "rollout_logprobs");
  if (!rollout.defined()) return {};
  const auto mode = config.at("mode").get<std::string>();
  const std::map<std::string, ImportanceRule> rules = {
      {"token_truncate", ImportanceRule::kTruncate},
      {"token_mask", ImportanceRule::kMask},
      {"sequence_truncate", ImportanceRule::kTruncate},
      {"sequence_mask", ImportanceRule::kMask}};
  const auto rule = rules.find(mode);
  if (rule == rules.end()) throw Unsupported{"importance mode " + mode};
  ImportanceBounds bounds;
  const Json min = config.value("is_clip_min", Json());
  const Json max = config.value("is_clip_max", Json());
  if (!min.is_null()) bounds.min = min.get<double>();
  if (!max.is_null()) bounds.max = max.get<double>();
  at::Tensor log_ratio = (old - rollout) * batch.mask;
  if (mode.starts_with("sequence")) log_ratio = log_ratio.sum(1, /*keepdim=*/true);
  const at::Tensor weights = ImportanceWeights(log_ratio, rule->second, bounds);
  ExpectIfGiven(golden, "is_weights", weights);
  return weights;
}

// The clipped loss of each token, [B, T].
PolicyLoss PolicyLossOf(const Json& golden, const TokenBatch& batch) {
  const Json& config = ConfigOf(golden);
  const auto level = config.value("ratio_level", std::string("token"));
  if (level != "token") throw Unsupported{"ratio_level " + level};
  at::Tensor advantages = Input(golden, "advantages");
  if (advantages.dim() == 1) advantages = advantages.unsqueeze(1);
  const at::Tensor old = Input(golden, "old_logprobs");
  PolicyLoss policy = ClippedPolicyLoss(
      batch.logprobs, old, advantages.expand_as(batch.logprobs).contiguous(), ClipOf(config));
  const at::Tensor importance = ImportanceOf(golden, batch, old);
  if (importance.defined()) policy.loss = policy.loss * importance;
  const double kl_coef = config.value("kl_coef", 0.0);
  if (kl_coef != 0.0) {
    policy.loss = policy.loss +
                  kl_coef * EstimateKl(EstimatorOf(config.at("kl_estimator").get<std::string>()),
                                       batch.logprobs, Input(golden, "ref_logprobs"));
  }
  return policy;
}

void CheckPolicyLoss(const Json& golden) {
  const TokenBatch batch(golden);
  const PolicyLoss policy = PolicyLossOf(golden, batch);
  const at::Tensor loss = (WeightsByName(ConfigOf(golden), batch) * policy.loss).sum();
  loss.backward();
  ExpectIfGiven(golden, "loss", loss.detach());
  ExpectIfGiven(golden, "grad_logits", batch.logits.grad());
  ExpectIfGiven(golden, "grad_logprobs", batch.logprobs.grad());
  ExpectIfGiven(golden, "clip_fraction", batch.TokenMean(policy.clipped_low + policy.clipped_high));
  ExpectIfGiven(golden, "approx_kl_k1_old_minus_new",
                batch.TokenMean(EstimateKl(KlEstimator::kK1, Input(golden, "old_logprobs"),
                                           batch.logprobs.detach())));
  if (!golden.at("expected").contains("trl_metrics")) return;
  const Json& metrics = golden.at("expected").at("trl_metrics");
  const auto expect_metric = [&](const char* name, const at::Tensor& values) {
    if (metrics.contains(name)) {
      ExpectClose(batch.TokenMean(values).item<double>(), metrics.at(name), name);
    }
  };
  expect_metric("entropy", batch.entropy);
  expect_metric("clip_ratio/low_mean", policy.clipped_low);
  expect_metric("clip_ratio/high_mean", policy.clipped_high);
  expect_metric("clip_ratio/region_mean", policy.clipped_low + policy.clipped_high);
}

// Weights come from the whole batch; the parts only sum.
void CheckMicrobatchInvariance(const Json& golden) {
  for (const Json& split : golden.at("inputs").at("splits")) {
    SCOPED_TRACE("splits " + split.dump());
    const TokenBatch batch(golden);
    const at::Tensor weighted =
        WeightsByName(ConfigOf(golden), batch) * PolicyLossOf(golden, batch).loss;
    double loss = 0;
    for (const at::Tensor& part : weighted.chunk(split.get<int64_t>(), 0)) {
      const at::Tensor part_loss = part.sum();
      part_loss.backward({}, /*retain_graph=*/true);
      loss += part_loss.item<double>();
    }
    ExpectClose(loss, golden.at("expected").at("loss"), "loss");
    ExpectIfGiven(golden, "grad_logits", batch.logits.grad());
  }
}

void CheckSft(const Json& golden) {
  const TokenBatch batch(golden);
  const at::Tensor loss = (WeightsByName(ConfigOf(golden), batch) * -batch.logprobs).sum();
  loss.backward();
  ExpectIfGiven(golden, "loss", loss.detach());
  ExpectIfGiven(golden, "grad_logits", batch.logits.grad());
  ExpectIfGiven(golden, "logprobs", batch.logprobs.detach());
  ExpectIfGiven(golden, "entropy", batch.entropy);
}

void CheckStability(const Json& golden) {
  const at::Tensor logits = Input(golden, "logits");
  const at::Tensor token_ids = Input(golden, "token_ids").to(at::kLong);
  const TokenScores scores =
      ScoreTokens(logits, token_ids, at::ones({token_ids.size(0)}, at::kDouble));
  ExpectIfGiven(golden, "logprobs", scores.logprobs);
  ExpectIfGiven(golden, "entropy", scores.entropy);
}

void CheckKl(const Json& golden) {
  const TokenBatch batch(golden);
  const auto estimator = EstimatorOf(ConfigOf(golden).at("estimator").get<std::string>());
  const at::Tensor kl =
      EstimateKl(estimator, batch.logprobs, Input(golden, "ref_logprobs")) * batch.mask;
  const at::Tensor loss = (batch.Weights(Aggregation::kTokenMean, 0) * kl).sum();
  loss.backward();
  ExpectIfGiven(golden, "per_token", kl.detach());
  ExpectIfGiven(golden, "loss", loss.detach());
  ExpectIfGiven(golden, "grad_logits", batch.logits.grad());
}

// "none", or like "group_std_ddof1_eps1e-4".
AdvantageOptions AdvantageOptionsByName(const std::string& name) {
  if (name == "none") return {.std = AdvantageStd::kNone};
  static const std::regex form("(group|batch)_std_ddof([01])_eps(.+)");
  std::smatch match;
  if (!std::regex_match(name, match, form)) throw Unsupported{"advantage " + name};
  return {.std = ParseAdvantageStd(match[1].str()),
          .epsilon = std::stod(match[3].str()),
          .ddof = std::stoi(match[2].str())};
}

void CheckAdvantages(const Json& golden, const std::vector<std::optional<double>>& rewards) {
  const auto size = golden.at("inputs").at("group_size").get<size_t>();
  std::vector<GroupRewards> groups;
  for (size_t begin = 0; begin < rewards.size(); begin += size) {
    groups.emplace_back(rewards.begin() + static_cast<std::ptrdiff_t>(begin),
                        rewards.begin() + static_cast<std::ptrdiff_t>(begin + size));
  }
  for (const auto& [name, expected] : golden.at("expected").items()) {
    std::vector<double> flat;
    for (const auto& group : GroupAdvantages(groups, AdvantageOptionsByName(name))) {
      flat.insert(flat.end(), group.begin(), group.end());
    }
    ExpectClose(at::tensor(at::ArrayRef<double>(flat), at::kDouble), ToTensor(expected), name);
  }
}

std::optional<double> OptionalOf(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<double>();
}

void CheckPlainAdvantages(const Json& golden) {
  std::vector<std::optional<double>> rewards;
  for (const Json& value : golden.at("inputs").at("rewards")) rewards.push_back(OptionalOf(value));
  CheckAdvantages(golden, rewards);
}

void CheckCombinedAdvantages(const Json& golden) {
  const auto weights = golden.at("inputs").at("weights").get<std::vector<double>>();
  std::vector<std::optional<double>> rewards;
  for (const Json& row : golden.at("inputs").at("rewards_per_func")) {
    std::vector<std::optional<double>> values;
    for (const Json& value : row) values.push_back(OptionalOf(value));
    rewards.push_back(CombineRewards(values, weights));
  }
  CheckAdvantages(golden, rewards);
}

using Check = void (*)(const Json&);

// By "family/kind".
const std::map<std::string, Check>& Checks() {
  static const std::map<std::string, Check> checks = {
      {"grpo/advantages", &CheckPlainAdvantages},
      {"grpo/advantages_multi", &CheckCombinedAdvantages},
      {"grpo/loss", &CheckPolicyLoss},
      {"grpo/microbatch_invariance", &CheckMicrobatchInvariance},
      {"kl/kl_token_mean", &CheckKl},
      {"ppo/policy_clip", &CheckPolicyLoss},
      {"reinforce_pp/loss", &CheckPolicyLoss},
      {"sft/logsoftmax_stability", &CheckStability},
      {"sft/sft", &CheckSft},
      {"tis/loss", &CheckPolicyLoss},
  };
  return checks;
}

void ReadCases(const std::filesystem::path& path, std::vector<GoldenCase>* cases) {
  try {
    std::ifstream stream(path);
    const Json file = Json::parse(stream);
    // Folders also hold other JSON files, for other tests.
    if (!file.is_object() || !file.contains("family") || !file.contains("cases")) return;
    for (const Json& golden : file.at("cases")) {
      cases->push_back({path.string(), file.at("family").get<std::string>(),
                        golden.at("name").get<std::string>(), golden, ""});
    }
  } catch (const std::exception& error) {
    cases->push_back({path.string(), "", "unreadable", Json(), error.what()});
  }
}

std::vector<GoldenCase> ReadAllCases() {
  std::vector<GoldenCase> cases;
  const char* folders = std::getenv("PONDER_GOLDEN_DIR");
  std::istringstream list(folders == nullptr ? "" : folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    std::vector<std::filesystem::path> files;
    for (const std::filesystem::path& place :
         {std::filesystem::path(folder), std::filesystem::path(folder) / "losses"}) {
      if (!std::filesystem::is_directory(place)) continue;
      for (const auto& entry : std::filesystem::directory_iterator(place)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) ReadCases(file, &cases);
  }
  return cases;
}

class GoldenLosses : public testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenLosses, MatchesIndependentImplementations) {
  const GoldenCase& golden = GetParam();
  ASSERT_EQ(golden.problem, "") << golden.file;
  const auto kind = golden.family + "/" + golden.json.value("kind", std::string("?"));
  RecordProperty("golden_file", golden.file);
  RecordProperty("golden_case", golden.name);
  RecordProperty("golden_kind", kind);
  const auto check = Checks().find(kind);
  if (check == Checks().end()) {
    GTEST_SKIP() << golden.file << " case " << golden.name << ": kind " << kind
                 << " is not one that Ponder has";
  }
  SCOPED_TRACE(golden.file + " case " + golden.name + " kind " + kind);
  try {
    check->second(golden.json);
  } catch (const Unsupported& unsupported) {
    GTEST_SKIP() << golden.file << " case " << golden.name << " of kind " << kind << ": "
                 << unsupported.what << " is not one that Ponder has";
  }
}

std::string NameOf(const testing::TestParamInfo<GoldenCase>& info) {
  std::string name = std::filesystem::path(info.param.file).stem().string() + "_" + info.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  // Folders may repeat names.
  return name + "_" + std::to_string(info.index);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenLosses);
INSTANTIATE_TEST_SUITE_P(Folders, GoldenLosses, testing::ValuesIn(ReadAllCases()), &NameOf);

TEST(GoldenFolders, AreNamedInTheEnvironment) {
  if (std::getenv("PONDER_GOLDEN_DIR") == nullptr) {
    GTEST_SKIP() << "PONDER_GOLDEN_DIR is not set: no cases of independent implementations";
  }
  if (ReadAllCases().empty()) {
    GTEST_SKIP() << "no loss cases in " << std::getenv("PONDER_GOLDEN_DIR");
  }
}

}  // namespace
}  // namespace ponder
