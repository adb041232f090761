#include "cli/evaluation_experiment.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/config/nearest_name.h"
#include "trainer/checkpoint/checkpoint_writer.h"

namespace ponder {
namespace {

constexpr size_t kDigestDigits = 8;

void CheckSets(const ExperimentConfig& run, const std::vector<std::string>& sets) {
  std::vector<std::string> names;
  for (const EvaluationConfig& evaluation : run.evaluation) names.push_back(evaluation.name);
  if (names.empty()) {
    throw Error(Condition::kUsage, "evaluating run " + run.run.name +
                                       ": its experiment has no 'evaluation' to measure");
  }
  for (const std::string& set : sets) {
    if (std::find(names.begin(), names.end(), set) != names.end()) continue;
    throw Error(Condition::kUsage, "--set: the run has no evaluation '" + set + "'" +
                                       NameHint(set, names, "its evaluations are"));
  }
}

// Choices differ in their names, so that each keeps its own result.
std::string NameOf(const EvaluationChoice& choice) {
  std::string name = CheckpointName(choice.step);
  if (choice.sets.empty() && choice.num_samples == 0) return name;
  std::string text = std::to_string(choice.num_samples);
  for (const std::string& set : choice.sets) text += " " + set;
  return name + "-" + Sha256Hex(text).substr(0, kDigestDigits);
}

}  // namespace

ExperimentConfig EvaluationExperiment(const ExperimentConfig& run, const std::string& run_directory,
                                      const EvaluationChoice& choice) {
  CheckSets(run, choice.sets);
  ExperimentConfig evaluation = run;
  evaluation.run.dir = run_directory + "/evaluations";
  evaluation.run.name = NameOf(choice);
  for (EvaluationConfig& set : evaluation.evaluation) {
    set.stages.clear();
    if (choice.num_samples > 0) set.num_samples = choice.num_samples;
  }
  ModelConfig model = run.models.front();
  model.init = {};
  model.init.run = run_directory;
  model.init.step = choice.step;
  evaluation.models = {model};
  StageConfig stage;
  stage.name = "evaluate";
  stage.algorithm = "evaluate";
  stage.model = model.name;
  stage.sets = choice.sets;
  evaluation.stages = {stage};
  evaluation.checkpoint = {};
  evaluation.launch.trainer_ranks = 1;
  return evaluation;
}

}  // namespace ponder
