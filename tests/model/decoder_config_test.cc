#include "model/decoder_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "tests/model/random_model.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The text of the error that `call` throws, which must have `condition`.
template <typename Call>
std::string ErrorOf(Condition condition, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), condition) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

nlohmann::json Qwen2Json() {
  DecoderConfig config = DecoderConfig::Preset("tiny", 21);
  return nlohmann::json::parse(config.ToJson());
}

TEST(DecoderConfig, PresetsHaveTheStatedNumbersOfParameters) {
  EXPECT_EQ(DecoderConfig::Preset("tiny", /*vocab_size=*/21).num_parameters(), 114'688);
  EXPECT_EQ(DecoderConfig::Preset("10m", /*vocab_size=*/21).num_parameters(), 9'920'256);
  EXPECT_EQ(DecoderConfig::Preset("0.5b", /*vocab_size=*/21).num_parameters(), 494'032'768);
}

TEST(DecoderConfig, OnlyTinyTakesTheVocabularyOfTheTask) {
  EXPECT_EQ(DecoderConfig::Preset("tiny", 33).vocab_size, 33);
  EXPECT_EQ(DecoderConfig::Preset("10m", 33).vocab_size, 4096);
  EXPECT_THAT(ErrorOf(Condition::kConfig, [] { DecoderConfig::Preset("10m", 5000); }),
              HasSubstr("1 to 4096 tokens, got 5000"));
}

TEST(DecoderConfig, UnknownPresetNamesTheKnownOnes) {
  EXPECT_THAT(ErrorOf(Condition::kConfig, [] { DecoderConfig::Preset("small", 21); }),
              HasSubstr("expected one of tiny, 10m, 0.5b; got 'small'"));
}

TEST(DecoderConfig, TensorsCarryHuggingFaceNamesInOrder) {
  DecoderConfig config = DecoderConfig::Preset("tiny", 21);
  config.num_layers = 1;
  config.num_kv_heads = 2;
  config.tie_embeddings = false;
  config.qk_norm = true;
  std::vector<std::string> names;
  const FlatLayout layout = config.Layout(DType::kF32);
  for (const TensorSpec& tensor : layout.tensors()) names.push_back(tensor.name);
  const std::string layer = "model.layers.0.";
  EXPECT_THAT(
      names,
      ElementsAre("model.embed_tokens.weight", layer + "input_layernorm.weight",
                  layer + "self_attn.q_proj.weight", layer + "self_attn.q_proj.bias",
                  layer + "self_attn.k_proj.weight", layer + "self_attn.k_proj.bias",
                  layer + "self_attn.v_proj.weight", layer + "self_attn.v_proj.bias",
                  layer + "self_attn.o_proj.weight", layer + "self_attn.q_norm.weight",
                  layer + "self_attn.k_norm.weight", layer + "post_attention_layernorm.weight",
                  layer + "mlp.gate_proj.weight", layer + "mlp.up_proj.weight",
                  layer + "mlp.down_proj.weight", "model.norm.weight", "lm_head.weight"));
  EXPECT_THAT(layout.Find(layer + "self_attn.k_proj.weight")->shape, ElementsAre(32, 64));
  EXPECT_THAT(layout.Find(layer + "mlp.down_proj.weight")->shape, ElementsAre(64, 208));
  EXPECT_EQ(layout.Find(layer + "self_attn.o_proj.bias"), nullptr);
}

TEST(DecoderConfig, JsonComesBackAsItWas) {
  for (const NamedConfig& named : SmallConfigs()) {
    EXPECT_EQ(DecoderConfig::FromJson(named.config.ToJson()), named.config) << named.name;
  }
  const DecoderConfig large = DecoderConfig::Preset("0.5b", 21);
  EXPECT_EQ(DecoderConfig::FromJson(large.ToJson()), large);
  DecoderConfig both = DecoderConfig::Preset("tiny", 21);
  both.qk_norm = true;
  EXPECT_THAT(ErrorOf(Condition::kBadData, [&] { (void)both.ToJson(); }), HasSubstr("got both"));
}

TEST(DecoderConfig, ModelTypeDecidesBiasesAndHeadNorms) {
  nlohmann::json json = Qwen2Json();
  for (const auto& [type, bias, norm] : std::vector<std::tuple<std::string, bool, bool>>{
           {"qwen2", true, false}, {"qwen3", false, true}, {"llama", false, false}}) {
    json["model_type"] = type;
    const DecoderConfig config = DecoderConfig::FromJson(json.dump());
    EXPECT_EQ(config.qkv_bias, bias) << type;
    EXPECT_EQ(config.qk_norm, norm) << type;
  }
}

TEST(DecoderConfig, ReadsTheNewerPlaceOfTheRotaryBase) {
  nlohmann::json json = Qwen2Json();
  json.erase("rope_theta");
  json["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
  EXPECT_EQ(DecoderConfig::FromJson(json.dump()).rope_theta, 5e5);
}

TEST(DecoderConfig, AbsentKeysTakeTheDefaultsOfHuggingFace) {
  nlohmann::json json = Qwen2Json();
  for (const char* key : {"num_key_value_heads", "head_dim", "tie_word_embeddings"})
    json.erase(key);
  json["rope_scaling"] = nullptr;
  json["transformers_version"] = "5.23.0";
  const DecoderConfig config = DecoderConfig::FromJson(json.dump());
  EXPECT_EQ(config.num_kv_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_FALSE(config.tie_embeddings);
}

TEST(DecoderConfig, RefusesWhatItCannotComputeAndNamesTheKey) {
  const std::vector<std::pair<std::string, nlohmann::json>> wrong = {
      {"model_type", "mistral"},
      {"hidden_act", "gelu"},
      {"use_sliding_window", true},
      {"attention_dropout", 0.1},
      {"mlp_bias", true},
      {"rope_scaling", {{"rope_type", "llama3"}}},
      {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7.0}}},
      {"layer_types", {"full_attention", "sliding_attention"}},
      {"hidden_size", "64"},
      {"hidden_size", 0},
      {"hidden_size", nullptr},
      {"vocab_size", -1},
      {"vocab_size", 1ULL << 63},
      {"num_hidden_layers", 2.5},
      {"num_hidden_layers", 1'000'000'000},
      {"num_key_value_heads", 3},
      {"head_dim", 7},
      {"rms_norm_eps", 0.0},
      {"tie_word_embeddings", "yes"},
  };
  for (const auto& [key, value] : wrong) {
    nlohmann::json json = Qwen2Json();
    json[key] = value;
    const std::string text =
        ErrorOf(Condition::kBadData, [&] { DecoderConfig::FromJson(json.dump()); });
    EXPECT_THAT(text, HasSubstr(key)) << value;
  }
}

TEST(DecoderConfig, RefusesTextThatIsNoSingleObject) {
  for (const char* text : {"", "[]", "{\"model_type\": \"qwen2\"", "{} {}", "\xff"}) {
    ErrorOf(Condition::kBadData, [&] { DecoderConfig::FromJson(text); });
  }
  std::string twice = DecoderConfig::Preset("tiny", 21).ToJson();
  twice.insert(1, "\"vocab_size\": 22,");
  EXPECT_THAT(ErrorOf(Condition::kBadData, [&] { DecoderConfig::FromJson(twice); }),
              HasSubstr("vocab_size"));
}

}  // namespace
}  // namespace ponder
