#include "cli/inspect/experiment_facts.h"

#include <chrono>

#include "cli/supervisor/bounded_command.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "tasks/task.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxConfigBytes = 1u << 20;
constexpr size_t kMaxJsonBytes = 1u << 20;
constexpr auto kDescribeDeadline = std::chrono::seconds(30);
// Enough for a mean length that is right to a few percent.
constexpr uint64_t kSampledDemonstrations = 64;

int64_t MeanDemonstrationTokens(const ExperimentConfig& config, const DataConfig& data) {
  const std::unique_ptr<Task> task = MakeTask(config.Task(data.task));
  uint64_t num_tokens = 0;
  for (uint64_t i = 0; i < kSampledDemonstrations; ++i) {
    const Problem problem = task->MakeProblem(Split::kTrain, config.run.seed, i);
    const std::string solution = task->Demonstrate(problem, data.demonstrator, config.run.seed, i);
    num_tokens += MakePrompt(*task, data.task, problem, i).token_ids.size() +
                  task->tokenizer().Encode(solution).size() + 1;  // the end token
  }
  return static_cast<int64_t>(num_tokens / kSampledDemonstrations);
}

StagePlan PlanOf(const ExperimentConfig& config, const StageConfig& stage) {
  StagePlan plan{.name = stage.name, .algorithm = stage.algorithm, .num_steps = stage.num_steps};
  plan.samples = !stage.task.empty();
  if (plan.samples) {
    plan.task = stage.task;
    plan.sequences_per_step = stage.prompts_per_step * stage.samples_per_prompt;
    plan.tokens_per_step = plan.sequences_per_step * stage.rollout.max_new_tokens;
  } else {
    plan.task = stage.data.task;
    plan.sequences_per_step = stage.batch_size;
    plan.tokens_per_step = stage.batch_size * MeanDemonstrationTokens(config, stage.data);
  }
  return plan;
}

std::string SourceOf(const ModelInit& init) {
  if (!init.run.empty()) return "step " + std::to_string(init.step) + " of run '" + init.run + "'";
  return "preset " + init.preset;
}

// The trainer knows the architectures; this program is free of LibTorch.
void AskTrainer(const std::string& bin_directory, const std::vector<std::string>& overrides,
                ExperimentFacts* facts) {
  ChildSpec spec;
  spec.name = "ponder_trainer";
  spec.argv = {bin_directory + "/ponder_trainer", "--describe", "--config", facts->path};
  for (const std::string& text : overrides) {
    spec.argv.emplace_back("--set");
    spec.argv.push_back(text);
  }
  const CommandResult result = RunBounded(spec, kDescribeDeadline);
  if (!result.ok()) {
    facts->models_problem = result.Explain();
    return;
  }
  try {
    const nlohmann::json models =
        ParseJsonStrict(result.out, "the answer of ponder_trainer --describe", kMaxJsonBytes);
    for (ModelFacts& model : facts->models) {
      const nlohmann::json& described = models.at(model.name);
      model.num_parameters = described.at("num_parameters").get<uint64_t>();
      model.vocab_size = described.at("vocab_size").get<uint64_t>();
      model.max_positions = described.at("max_positions").get<uint64_t>();
    }
  } catch (const std::exception& error) {
    facts->models_problem = error.what();
  }
}

void CompareWithRunFolder(FileSystem& files, ExperimentFacts* facts) {
  const std::string path = facts->config.RunDirectory() + "/config.resolved.yaml";
  facts->has_run = files.Exists(path);
  if (!facts->has_run) return;
  try {
    const ExperimentConfig before =
        ParseExperiment(files.ReadFile(path, kMaxConfigBytes), path, {});
    for (KeyDifference& difference : CompareExperiments(before, facts->config)) {
      if (difference.key_class == KeyClass::kExact) {
        facts->differences.push_back(std::move(difference));
      }
    }
  } catch (const Error& error) {
    facts->run_problem = error.what();
  }
}

}  // namespace

ExperimentFacts SurveyExperiment(FileSystem& files, const std::string& path,
                                 const std::vector<std::string>& overrides,
                                 const std::string& bin_directory) {
  ExperimentFacts facts;
  facts.path = path;
  facts.config = ReadExperiment(path, overrides);
  for (const ModelConfig& model : facts.config.models) {
    facts.models.push_back({.name = model.name, .source = SourceOf(model.init)});
  }
  for (const StageConfig& stage : facts.config.stages) {
    facts.stages.push_back(PlanOf(facts.config, stage));
  }
  AskTrainer(bin_directory, overrides, &facts);
  CompareWithRunFolder(files, &facts);
  return facts;
}

}  // namespace ponder
