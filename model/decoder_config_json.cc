// DecoderConfig from and to config.json of a Hugging Face model folder.
#include <cmath>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"
#include "model/decoder_config.h"

namespace ponder {
namespace {

using Json = nlohmann::json;

// Far above any model, far below what could overflow a product of two.
constexpr int64_t kMaxSize = int64_t{1} << 24;
constexpr int64_t kMaxLayers = 1024;
constexpr size_t kMaxJsonBytes = size_t{1} << 20;

[[noreturn]] void Refuse(const std::string& key, const std::string& expected, const Json& got) {
  const std::string text = got.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 100);
  throw Error(Condition::kBadData, "reading config.json: key '" + key + "': expected " + expected +
                                       ", got " + (got.is_discarded() ? "nothing" : text));
}

// Typed reads of one object. Null counts as absent: Hugging Face writes it for "not used".
class Reader {
 public:
  // `prefix` goes before the keys in messages.
  explicit Reader(const Json& json, std::string prefix = "")
      : json_(json), prefix_(std::move(prefix)) {}

  bool Has(const std::string& key) const { return json_.contains(key) && !json_[key].is_null(); }

  int64_t Size(const std::string& key, int64_t max = kMaxSize) const {
    const Json value = Has(key) ? json_[key] : Json(Json::value_t::discarded);
    const std::string expected = "an integer from 1 to " + std::to_string(max);
    if (!value.is_number_integer() || value < 1 || value > max)
      Refuse(prefix_ + key, expected, value);
    return value.get<int64_t>();
  }
  int64_t Size(const std::string& key, int64_t fallback, int64_t max) const {
    return Has(key) ? Size(key, max) : fallback;
  }

  double Positive(const std::string& key, double fallback) const {
    if (!Has(key)) return fallback;
    const Json& value = json_[key];
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
      Refuse(prefix_ + key, "a finite number above 0", value);
    }
    return value.get<double>();
  }

  bool Flag(const std::string& key, bool fallback) const {
    if (!Has(key)) return fallback;
    if (!json_[key].is_boolean()) Refuse(prefix_ + key, "true or false", json_[key]);
    return json_[key].get<bool>();
  }

  // The value, if there is one, must be `only`: others describe a model that computes something
  // else.
  void Only(const std::string& key, const Json& only) const {
    if (Has(key) && json_[key] != only) Refuse(prefix_ + key, only.dump(), json_[key]);
  }

  const Json& operator[](const std::string& key) const { return json_[key]; }

 private:
  const Json& json_;
  std::string prefix_;
};

// rope_theta stands at the top (older files) or inside rope_parameters (newer ones).
double ReadRopeTheta(const Reader& reader, double fallback) {
  double theta = reader.Positive("rope_theta", fallback);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!reader.Has(key)) continue;
    if (!reader[key].is_object()) Refuse(key, "an object", reader[key]);
    const Reader rope(reader[key], std::string(key) + ".");
    rope.Only("rope_type", "default");
    rope.Only("type", "default");
    const double inner = rope.Positive("rope_theta", theta);
    if (reader.Has("rope_theta") && inner != theta) {
      Refuse(std::string(key) + ".rope_theta", "the value of rope_theta", inner);
    }
    theta = inner;
  }
  return theta;
}

}  // namespace

DecoderConfig DecoderConfig::FromJson(std::string_view json) {
  const Json parsed = ParseJsonStrict(json, "config.json", kMaxJsonBytes);
  if (!parsed.is_object()) Refuse("(whole file)", "an object", parsed);
  const Reader reader(parsed);
  const Json type = parsed.contains("model_type") ? parsed["model_type"] : Json();
  if (type != "qwen2" && type != "qwen3" && type != "llama") {
    Refuse("model_type", "\"qwen2\", \"qwen3\" or \"llama\"", type);
  }
  reader.Only("hidden_act", "silu");
  reader.Only("use_sliding_window", false);
  reader.Only("attention_dropout", 0.0);
  reader.Only("mlp_bias", false);
  if (type != "qwen2") reader.Only("attention_bias", false);
  if (reader.Has("layer_types")) {
    for (const Json& layer : parsed["layer_types"]) {
      if (layer != "full_attention") Refuse("layer_types", "\"full_attention\" only", layer);
    }
  }

  DecoderConfig config;
  config.vocab_size = reader.Size("vocab_size");
  config.hidden_size = reader.Size("hidden_size");
  config.num_layers = reader.Size("num_hidden_layers", kMaxLayers);
  config.num_heads = reader.Size("num_attention_heads");
  config.num_kv_heads = reader.Size("num_key_value_heads", config.num_heads, kMaxSize);
  config.intermediate_size = reader.Size("intermediate_size");
  config.max_positions = reader.Size("max_position_embeddings");
  if (!reader.Has("head_dim") && config.hidden_size % config.num_heads != 0) {
    Refuse("num_attention_heads", "a divisor of hidden_size", config.num_heads);
  }
  config.head_dim = reader.Size("head_dim", config.hidden_size / config.num_heads, kMaxSize);
  if (config.num_heads % config.num_kv_heads != 0) {
    Refuse("num_key_value_heads", "a divisor of num_attention_heads", config.num_kv_heads);
  }
  if (config.head_dim % 2 != 0) Refuse("head_dim", "an even number", config.head_dim);
  config.rms_norm_eps = reader.Positive("rms_norm_eps", config.rms_norm_eps);
  config.rope_theta = ReadRopeTheta(reader, config.rope_theta);
  config.init_std = reader.Positive("initializer_range", config.init_std);
  config.qkv_bias = type == "qwen2";
  config.qk_norm = type == "qwen3";
  config.tie_embeddings = reader.Flag("tie_word_embeddings", false);
  return config;
}

std::string DecoderConfig::ToJson() const {
  if (qkv_bias && qk_norm) {
    throw Error(
        Condition::kBadData,
        "writing config.json: expected qkv_bias or qk_norm, got both (no model_type has both)");
  }
  const std::string type = qk_norm ? "qwen3" : qkv_bias ? "qwen2" : "llama";
  const std::string family = qk_norm ? "Qwen3" : qkv_bias ? "Qwen2" : "Llama";
  nlohmann::ordered_json json;
  json["architectures"] = nlohmann::ordered_json::array({family + "ForCausalLM"});
  json["model_type"] = type;
  json["hidden_size"] = hidden_size;
  json["intermediate_size"] = intermediate_size;
  json["num_hidden_layers"] = num_layers;
  json["num_attention_heads"] = num_heads;
  json["num_key_value_heads"] = num_kv_heads;
  json["head_dim"] = head_dim;
  json["hidden_act"] = "silu";
  json["rms_norm_eps"] = rms_norm_eps;
  json["rope_theta"] = rope_theta;
  json["max_position_embeddings"] = max_positions;
  json["vocab_size"] = vocab_size;
  json["tie_word_embeddings"] = tie_embeddings;
  json["initializer_range"] = init_std;
  json["use_sliding_window"] = false;
  json["torch_dtype"] = "float32";
  return json.dump(2) + "\n";
}

}  // namespace ponder
