#include "core/config/experiment_schema.h"

namespace ponder {

std::vector<Kind> AlgorithmKinds() {
  return {
      {"evaluate", {"sets"}},
      {"grpo",
       {"num_steps", "optimizer", "schedule", "task", "prompts_per_step", "samples_per_prompt",
        "max_staleness", "num_epochs", "num_minibatches", "clip", "advantage_std", "aggregation",
        "rollout", "rewards"}},
      {"sft", {"num_steps", "optimizer", "schedule", "data", "batch_size", "validation"}},
  };
}

std::vector<Kind> TaskKinds() {
  return {
      {"chain",
       {"modulus", "num_operations", "task_seed", "misconception_share",
        "misconception_probability", "slip_probability"}},
  };
}

std::vector<Kind> RewardKinds() {
  return {
      {"exact_answer", {}},
      {"format", {}},
      {"command", {"range", "timeout_s", "command"}},
      {"grpc", {"range", "timeout_s", "address"}},
      {"http",
       {"range", "timeout_s", "url", "model", "template", "template_file", "score_field",
        "max_reply_tokens", "api_key_env", "api_key_file", "request_timeout_s", "max_tries",
        "concurrency", "budget", "cache"}},
  };
}

std::vector<std::string> DemonstratorsOf(const std::string& task_type) {
  if (task_type == "chain") return {"exact", "sloppy"};
  return {};
}

std::vector<std::string> NamesOf(const std::vector<Kind>& kinds) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  return names;
}

}  // namespace ponder
