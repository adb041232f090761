#include "core/base/generate_request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace ponder {
namespace {

GenerateRequest Sample() {
  GenerateRequest request;
  request.experiment = "runs/demo/config.resolved.yaml";
  request.policy = "runs/demo/checkpoints/step_000020/policy";
  request.model_sha256 = "ab";
  request.checkpoint = "step \"20\"";
  request.prompts = {"3 + 4 >", "", "\xc3\xa9"};
  request.index = 18446744073709551615u;
  request.seed = 0;
  request.temperature = 0.0;
  request.num_samples = 4;
  request.max_new_tokens = 9;
  request.probs = true;
  return request;
}

TEST(GenerateRequestTest, ReadsBackEveryField) {
  EXPECT_EQ(GenerateRequest::FromJson(Sample().ToJson()), Sample());
  EXPECT_EQ(GenerateRequest::FromJson(GenerateRequest().ToJson()), GenerateRequest());
}

TEST(GenerateRequestTest, RefusesWhatItDoesNotWrite) {
  const nlohmann::json written = nlohmann::json::parse(Sample().ToJson());
  for (const auto& [key, value] : written.items()) {
    nlohmann::json changed = nlohmann::json::parse(Sample().ToJson());
    changed.erase(key);
    EXPECT_THROW(GenerateRequest::FromJson(changed.dump()), Error) << "without " << key;
    changed[key] = nlohmann::json::object({{"a", 1}});
    EXPECT_THROW(GenerateRequest::FromJson(changed.dump()), Error) << "another type of " << key;
  }
  EXPECT_THROW(GenerateRequest::FromJson("generate!"), Error);
}

}  // namespace
}  // namespace ponder
