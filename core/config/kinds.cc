#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

// What the reader knows of a type of task.
struct TaskTypeRow {
  Kind kind;
  std::vector<std::string> demonstrators;
  std::string answer_reward;
};

std::vector<TaskTypeRow> TaskTypeRows() {
  return {
      {.kind = {"chain",
                {"modulus", "num_operations", "task_seed", "misconception_share",
                 "misconception_probability", "slip_probability"}},
       .demonstrators = {"exact", "sloppy"},
       .answer_reward = "exact_answer"},
      {.kind = {"countdown", {"modulus", "task_seed", "max_attempts", "lookahead_probability"}},
       .demonstrators = {"search"},
       .answer_reward = "task_verifier"},
  };
}

TaskTypeRow RowOfTask(const std::string& type) {
  for (const TaskTypeRow& row : TaskTypeRows()) {
    if (row.kind.name == type) return row;
  }
  return {};
}

}  // namespace

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
  std::vector<Kind> kinds;
  for (const TaskTypeRow& row : TaskTypeRows()) kinds.push_back(row.kind);
  return kinds;
}

std::vector<Kind> RewardKinds() {
  return {
      {"exact_answer", {}},
      {"format", {}},
      {"task_verifier", {}},
      {"command", {"range", "timeout_s", "command"}},
      {"grpc", {"range", "timeout_s", "address"}},
      {"http",
       {"range", "timeout_s", "url", "model", "template", "template_file", "score_field",
        "max_reply_tokens", "api_key_env", "api_key_file", "request_timeout_s", "max_tries",
        "concurrency", "budget", "cache"}},
  };
}

std::vector<std::string> DemonstratorsOf(const std::string& task_type) {
  return RowOfTask(task_type).demonstrators;
}

std::string AnswerRewardOf(const std::string& task_type) {
  return RowOfTask(task_type).answer_reward;
}

std::vector<std::string> NamesOf(const std::vector<Kind>& kinds) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.push_back(kind.name);
  return names;
}

}  // namespace ponder
