// The experiment as typed structs. ReadExperiment fills them from YAML, once, at start; nothing
// reads YAML later. Every key is declared, with range, unit, help and class, in
// experiment_schema*.cc; the defaults are those of the structs. All counts are global, never per
// rank.
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
  bool operator==(const RunConfig&) const = default;
};

// A task by type; fields that a type does not take are refused by the reader.
struct TaskConfig {
  std::string name;
  std::string type;      // "chain", "countdown"
  int64_t modulus = 11;  // prime
  IntRange num_operations{5, 6};
  int64_t task_seed = 1;                   // the task's own fixed seed: misconceptions, split
  double misconception_share = 0.12;       // rho
  double misconception_probability = 0.7;  // q
  double slip_probability = 0.05;          // epsilon
  int64_t max_attempts = 2;                // K
  double lookahead_probability = 0.35;     // h, of the search demonstrator
  double eval_share = 0.1;                 // of prompts, by hash, that only evaluation may see
  bool operator==(const TaskConfig&) const = default;
};

struct RealRange {
  double min = 0;
  double max = 1;
  bool operator==(const RealRange&) const = default;
};

// What a run may spend on one judge; 0: no bound.
struct JudgeBudget {
  int64_t requests = 0;  // HTTP requests, tries included
  int64_t tokens = 0;    // of prompts and replies, as the endpoint counts them
  bool operator==(const JudgeBudget&) const = default;
};

// A source of reward by type; fields that a type does not take are refused by the reader.
struct RewardConfig {
  std::string name;
  std::string type;  // "exact_answer", "format", "task_verifier", "command", "grpc", "http"
  double weight = 1.0;
  // command, grpc, http
  RealRange range{};
  double timeout_s = 20;               // of one group, all tries included
  std::vector<std::string> command{};  // command: program and arguments
  std::string address{};               // grpc: host:port
  // http
  std::string url{};
  std::string model{};
  std::string prompt_template{};       // with {response} in it; of the file once that was read
  std::string prompt_template_file{};  // empty once it was read
  std::string score_field{};           // empty: the last number of the reply
  int64_t max_reply_tokens = 512;
  std::string api_key_env{};  // at most one of the two: where the key is, never the key
  std::string api_key_file{};
  double request_timeout_s = 10;  // of one HTTP request
  int64_t max_tries = 4;          // of one HTTP request
  int64_t concurrency = 8;        // HTTP requests of one group at a time
  JudgeBudget budget{};
  std::string cache{};  // an SQLite file; empty: in memory
  bool operator==(const RewardConfig&) const = default;
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
  std::vector<RewardConfig> rewards;  // default: what decides the task, AnswerRewardOf
  bool operator==(const EvaluationConfig&) const = default;
};

// The step of ModelInit that stands for the best checkpoint of the other run.
inline constexpr int64_t kBestStep = -2;

// Where a model's first weights come from: exactly one of the forms.
struct ModelInit {
  std::string preset;      // "tiny", "10m", "0.5b"
  int64_t num_layers = 0;  // instead of the preset's; 0: the preset's
  // Another run, by its name below run.dir or the path of its folder: with step a checkpoint of it,
  // or with stage.
  std::string run;
  int64_t step = -1;  // or kBestStep; -1: not given
  std::string stage;  // what that stage ended with
  bool operator==(const ModelInit&) const = default;
};

struct ModelConfig {
  std::string name;
  ModelInit init;
  bool operator==(const ModelConfig&) const = default;
};

struct OptimizerConfig {
  double learning_rate = 1e-3;
  std::vector<double> betas{0.9, 0.999};
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double max_grad_norm = 1.0;
  bool operator==(const OptimizerConfig&) const = default;
};

struct ScheduleConfig {
  std::string name = "constant";  // "constant", "linear", "cosine"
  int64_t warmup_steps = 0;
  int64_t decay_steps = 0;   // 0 with "constant" only
  double final_ratio = 0.0;  // of the learning rate, at decay_steps and after
  bool operator==(const ScheduleConfig&) const = default;
};

struct DataConfig {
  std::string task;
  std::string demonstrator;        // one of the task's
  int64_t num_demonstrations = 0;  // a fixed set of so many; 0: new ones without end
  int64_t num_epochs = 0;          // passes over the set; 0: the stage's num_steps says how long
  bool operator==(const DataConfig&) const = default;
};

// Loss on held-out demonstrations while an sft stage runs.
struct ValidationConfig {
  int64_t every_steps = 0;  // 0: never
  int64_t num_demonstrations = 256;
  bool operator==(const ValidationConfig&) const = default;
};

struct ClipConfig {
  double low = 0.2;
  double high = 0.2;
  bool operator==(const ClipConfig&) const = default;
};

struct RolloutConfig {
  double temperature = 1.0;
  int64_t max_new_tokens = 64;
  int64_t max_total_tokens = 0;
  bool operator==(const RolloutConfig&) const = default;
};

struct StageConfig {
  std::string name;
  std::string algorithm;  // "sft", "grpo", "evaluate"
  std::string model = "policy";
  int64_t num_steps = 0;  // the reader derives it from data.num_epochs; evaluate has none
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  // sft
  DataConfig data;
  int64_t batch_size = 64;
  ValidationConfig validation;
  // evaluate
  std::vector<std::string> sets;  // of `evaluation`; empty: all
  // grpo
  std::string task;
  int64_t prompts_per_step = 32;
  int64_t samples_per_prompt = 8;
  int64_t max_staleness = 0;
  int64_t num_epochs = 1;       // passes over the step's examples
  int64_t num_minibatches = 1;  // optimizer updates per pass
  ClipConfig clip;
  std::string advantage_std = "group";     // "group", "batch", "none"
  std::string aggregation = "token_mean";  // "token_mean", "sequence_mean_token_mean",
                                           // "sequence_mean_token_sum", "constant_length"
  RolloutConfig rollout;
  std::vector<RewardConfig> rewards;
  bool operator==(const StageConfig&) const = default;
};

// Which evaluation says what the best checkpoint is; without one there is no best.
struct BestConfig {
  std::string evaluation;
  std::string metric = "val/sampled";
  std::string mode = "max";  // "max", "min"
  bool operator==(const BestConfig&) const = default;
};

struct CheckpointConfig {
  int64_t save_steps = 20;
  int64_t keep = 3;
  BestConfig best;
  std::string resume = "auto";  // "auto", "never", "must"
  bool operator==(const CheckpointConfig&) const = default;
};

// Knobs of the trainer that do not change what is learned, or only in the last bits.
struct TrainerConfig {
  int64_t micro_batch_tokens = 4096;  // most tokens of one forward and backward
  int64_t max_nonfinite_steps = 3;    // skipped in a row before the run ends as diverged
  double lease_s = 30;                // a lease or session not renewed for so long is lost
  int64_t max_tries = 5;              // of one prompt, before its group is dropped
  double collective_timeout_s = 600;  // of one MPI operation
  double score_timeout_s = 30;        // of one Reward.Score
  bool operator==(const TrainerConfig&) const = default;
};

// Who may watch a run beside its own files.
struct MetricsConfig {
  bool tensorboard = true;      // event files in the run folder
  int64_t prometheus_port = 0;  // on 127.0.0.1; 0: no endpoint
  bool operator==(const MetricsConfig&) const = default;
};

// What `ponder up` starts.
struct LaunchConfig {
  int64_t trainer_ranks = 2;
  int64_t workers = 1;
  int64_t reward_services = 1;
  int64_t max_restarts = 5;  // of the trainer
  bool operator==(const LaunchConfig&) const = default;
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
  MetricsConfig metrics;
  LaunchConfig launch;

  // Lookups by name; throw Error(kInternal) when absent (the reader has checked references).
  const TaskConfig& Task(std::string_view name) const;
  const StageConfig& Stage(std::string_view name) const;
  // The sources behind a lease's reward_set: "stage/NAME" or "evaluation/NAME".
  const std::vector<RewardConfig>& RewardSet(std::string_view reward_set) const;
  bool operator==(const ExperimentConfig&) const = default;
  std::string RunDirectory() const { return run.dir + "/" + run.name; }
};

// Reads, checks and resolves a file. `overrides`: "a.b=c" of --set, applied before checking. Throws
// ConfigError with every problem, one a line, sorted by line. `path` is only used in messages by
// the second form.
ExperimentConfig ReadExperiment(const std::string& path, const std::vector<std::string>& overrides);
ExperimentConfig ParseExperiment(const std::string& text, const std::string& path,
                                 const std::vector<std::string>& overrides);

// The experiment as YAML with every key written out: what config.resolved.yaml holds. Reading it
// back gives an equal experiment.
std::string ResolvedYaml(const ExperimentConfig& config);

// The folder of the run that `init` names: below `runs` (run.dir), or a path with a '/'.
std::string RunDirectoryOf(const ModelInit& init, const std::string& runs);

// The powers of two from 2 to `limit`: the sizes of subsets of samples that an evaluation
// estimates.
std::vector<int64_t> SubsetSizes(int64_t limit);
// Majorities are estimated up to this size: the exact expectation takes cubic time.
inline constexpr int64_t kMaxMajoritySize = 64;
// Every metric of an evaluation that measures the policy, without those of their intervals.
std::vector<std::string> EvaluationMetricNames(const EvaluationConfig& evaluation);

// What a change of a key means for a run that goes on from its checkpoint.
enum class KeyClass {
  kExact,  // something else is learned: exact resume ends
  kSoft,   // only the last bits, or only what is measured, changes: goes on with a warning
  kFree,   // nothing that was done already changes
};
// One key whose value differs. Entries of lists go by their names; the order of a list is a value
// of its own. A key that one side does not have shows as "(absent)" there.
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
