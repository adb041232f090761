// The experiment as typed structs. core/config/reader.h fills them from YAML, once, at start; nothing
// reads YAML later. Every key is declared, with range, unit, default, help and class, in schema_*.cc.
// All counts are global, never per rank.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

struct IntRange {
  int64_t min = 0;
  int64_t max = 0;
  bool operator==(const IntRange&) const = default;
};

struct RunConfig {
  std::string name;
  uint64_t seed = 1;
  std::string dir = "runs";
};

// A task by type; fields that a type does not take are refused by the reader.
struct TaskConfig {
  std::string name;
  std::string type;        // "chain"
  int64_t modulus = 11;    // prime
  IntRange num_operations{5, 6};
  int64_t task_seed = 1;                   // the task's own fixed seed: misconceptions, split
  double misconception_share = 0.12;       // rho
  double misconception_probability = 0.7;  // q
  double slip_probability = 0.05;          // epsilon
  double eval_share = 0.1;                 // share of prompts, by hash, that only evaluation may see
};

struct RewardConfig {
  std::string name;
  std::string type;  // "exact_answer", "format"
  double weight = 1.0;
};

enum class EvaluateAt { kNever, kStageEnd };

struct EvaluationConfig {
  std::string name;
  std::string task;
  int64_t num_prompts = 256;
  int64_t num_samples = 4;
  bool greedy = false;
  int64_t every_steps = 0;  // 0: not while running
  EvaluateAt at = EvaluateAt::kNever;
  double temperature = 1.0;
  int64_t max_new_tokens = 64;
  std::vector<std::string> stages;    // empty: every stage
  std::vector<RewardConfig> rewards;  // default: one exact_answer of weight 1
};

// Where a model's first weights come from: exactly one of the forms.
struct ModelInit {
  std::string preset;  // "tiny", "10m", "0.5b"
  std::string run;     // with step: a checkpoint of another run
  int64_t step = -1;
};

struct ModelConfig {
  std::string name;
  ModelInit init;
};

struct OptimizerConfig {
  double learning_rate = 1e-3;
  std::vector<double> betas{0.9, 0.999};
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double max_grad_norm = 1.0;
};

struct ScheduleConfig {
  std::string name = "constant";  // "constant", "linear", "cosine"
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0;        // 0 with "constant" only
  double final_ratio = 0.0;       // of the learning rate, at decay_steps and after
};

struct DataConfig {
  std::string task;
  std::string demonstrator;  // "exact", "sloppy"
};

struct ClipConfig {
  double low = 0.2;
  double high = 0.2;
};

struct RolloutConfig {
  double temperature = 1.0;
  int64_t max_new_tokens = 64;
  int64_t max_total_tokens = 0;
};

struct StageConfig {
  std::string name;
  std::string algorithm;  // "sft", "grpo"
  std::string model = "policy";
  int64_t num_steps = 0;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  // sft
  DataConfig data;
  int64_t batch_size = 64;
  // grpo
  std::string task;
  int64_t prompts_per_step = 32;
  int64_t samples_per_prompt = 8;
  int64_t max_staleness = 0;
  int64_t num_epochs = 1;       // passes over the step's examples
  int64_t num_minibatches = 1;  // optimizer updates per pass
  ClipConfig clip;
  std::string advantage_std = "group";         // "group", "batch", "none"
  std::string aggregation = "token_mean";      // "token_mean", "sequence_mean_token_mean",
                                               // "sequence_mean_token_sum", "constant_length"
  RolloutConfig rollout;
  std::vector<RewardConfig> rewards;
};

struct CheckpointConfig {
  int64_t save_steps = 20;
  int64_t keep = 3;
  std::string resume = "auto";  // "auto", "never", "must"
};

// Knobs of the trainer that do not change what is learned, or only in the last bits.
struct TrainerConfig {
  int64_t micro_batch_tokens = 4096;   // most tokens of one forward and backward
  int64_t max_nonfinite_steps = 3;     // skipped in a row before the run ends as diverged
  double lease_s = 30;                 // a lease or session not renewed for so long is lost
  int64_t max_tries = 5;               // of one prompt, before its group is dropped
  double collective_timeout_s = 600;   // of one MPI operation
  double score_timeout_s = 30;         // of one Reward.Score
};

// What `ponder up` starts.
struct LaunchConfig {
  int64_t trainer_ranks = 2;
  int64_t workers = 1;
  int64_t reward_services = 1;
  int64_t max_restarts = 5;  // of the trainer
};

struct ExperimentConfig {
  int64_t config_version = 1;
  RunConfig run;
  std::vector<TaskConfig> tasks;  // in the order of the file
  std::vector<EvaluationConfig> evaluation;
  std::vector<ModelConfig> models;
  std::vector<StageConfig> stages;
  CheckpointConfig checkpoint;
  TrainerConfig trainer;
  LaunchConfig launch;

  // Lookups by name; throw Error(kInternal) when absent (the reader has checked references).
  const TaskConfig& Task(std::string_view name) const;
  const StageConfig& Stage(std::string_view name) const;
  // The sources behind a lease's reward_set: "stage/NAME" or "evaluation/NAME".
  const std::vector<RewardConfig>& RewardSet(std::string_view reward_set) const;
  std::string RunDirectory() const { return run.dir + "/" + run.name; }
};

// Reads, checks and resolves a file. `overrides`: "a.b=c" of --set, applied before checking. Throws
// ConfigError with every problem, one a line, sorted by line. `path` is only used in messages by the
// second form.
ExperimentConfig ReadExperiment(const std::string& path, const std::vector<std::string>& overrides);
ExperimentConfig ParseExperiment(const std::string& text, const std::string& path,
                                 const std::vector<std::string>& overrides);

// The experiment as YAML with every key written out: what config.resolved.yaml holds. Reading it back
// gives an equal experiment.
std::string ResolvedYaml(const ExperimentConfig& config);

// Keys whose values differ between two experiments, with their class.
enum class KeyClass { kExact, kSoft, kFree };
struct KeyDifference {
  std::string key;  // "stages.reason.clip.high"
  KeyClass key_class;
  std::string before;
  std::string after;
};
std::vector<KeyDifference> CompareExperiments(const ExperimentConfig& before,
                                              const ExperimentConfig& after);

// configs/README.md's table of keys, as Markdown, made from the declarations.
std::string ConfigReferenceMarkdown();

}  // namespace ponder
