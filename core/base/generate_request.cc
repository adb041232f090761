#include "core/base/generate_request.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kMaxBytes = size_t{1} << 24;

template <typename Value>
json OrNull(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename Value>
std::optional<Value> OptionalFrom(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<Value>();
}

}  // namespace

std::string GenerateRequest::ToJson() const {
  return nlohmann::json{{"experiment", experiment},
                        {"policy", policy},
                        {"model_sha256", model_sha256},
                        {"checkpoint", checkpoint},
                        {"prompts", prompts},
                        {"file", file},
                        {"task", task},
                        {"set", set},
                        {"index", index},
                        {"num_prompts", num_prompts},
                        {"seed", OrNull(seed)},
                        {"temperature", OrNull(temperature)},
                        {"num_samples", num_samples},
                        {"max_new_tokens", OrNull(max_new_tokens)},
                        {"probs", probs},
                        {"json", this->json}}
      .dump();
}

GenerateRequest GenerateRequest::FromJson(std::string_view text) {
  const std::string source = "the request to ponder_generate";
  GenerateRequest request;
  try {
    const nlohmann::json root = ParseJsonStrict(text, source, kMaxBytes);
    root.at("experiment").get_to(request.experiment);
    root.at("policy").get_to(request.policy);
    root.at("model_sha256").get_to(request.model_sha256);
    root.at("checkpoint").get_to(request.checkpoint);
    root.at("prompts").get_to(request.prompts);
    root.at("file").get_to(request.file);
    root.at("task").get_to(request.task);
    root.at("set").get_to(request.set);
    root.at("index").get_to(request.index);
    root.at("num_prompts").get_to(request.num_prompts);
    request.seed = OptionalFrom<uint64_t>(root.at("seed"));
    request.temperature = OptionalFrom<double>(root.at("temperature"));
    root.at("num_samples").get_to(request.num_samples);
    request.max_new_tokens = OptionalFrom<uint32_t>(root.at("max_new_tokens"));
    root.at("probs").get_to(request.probs);
    root.at("json").get_to(request.json);
  } catch (const nlohmann::json::exception& error) {
    throw Error(Condition::kUsage, "reading " + source + ": " + error.what() +
                                       " (it is started by 'ponder generate')");
  } catch (const Error& error) {
    throw Error(Condition::kUsage,
                std::string(error.what()) + " (it is started by 'ponder generate')");
  }
  return request;
}

}  // namespace ponder
