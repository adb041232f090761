#include <fmt/format.h>

#include <utility>

#include "cli/inspect/render.h"
#include "cli/text_page.h"

namespace ponder {
namespace {

constexpr size_t kLabelColumns = 12;

std::string Count(int64_t count) { return CountText(static_cast<uint64_t>(count)); }

std::string ModelText(const ModelFacts& model) {
  if (model.num_parameters == 0) return model.source;
  return model.source + ": " + CountText(model.num_parameters) + " parameters, vocabulary " +
         CountText(model.vocab_size) + ", context " + CountText(model.max_positions);
}

std::string StageText(const StagePlan& stage) {
  if (stage.samples) {
    return fmt::format("{} on task '{}': {} steps of {} answers, at most {} sampled tokens a step",
                       stage.algorithm, stage.task, Count(stage.num_steps),
                       Count(stage.sequences_per_step), Count(stage.tokens_per_step));
  }
  return fmt::format("{} on task '{}': {} steps of {} demonstrations, about {} tokens a step",
                     stage.algorithm, stage.task, Count(stage.num_steps),
                     Count(stage.sequences_per_step), Count(stage.tokens_per_step));
}

std::string EvaluationText(const EvaluationConfig& evaluation) {
  std::string text = Count(evaluation.num_prompts) + " prompts of task '" + evaluation.task +
                     "' x " + Count(evaluation.num_samples) + " samples" +
                     (evaluation.greedy ? " and a greedy one" : "");
  if (evaluation.every_steps > 0) text += ", every " + Count(evaluation.every_steps) + " steps";
  if (evaluation.at == EvaluateAt::kStageEnd) text += ", at the end of stages";
  return text;
}

void AddStart(const ExperimentFacts& facts, TextPage* page) {
  const std::string folder = facts.config.RunDirectory();
  page->Title("if it were started now");
  if (!facts.run_problem.empty()) {
    page->Line(
        "REFUSES: the run folder holds a run whose experiment cannot be read: " + facts.run_problem,
        Tone::kBad);
  } else if (!facts.differences.empty()) {
    page->Line("REFUSES: " + folder + " belongs to another experiment; these keys differ:",
               Tone::kBad);
    for (const KeyDifference& difference : facts.differences) {
      page->Line(difference.key + ": was " + difference.before + ", is now " + difference.after,
                 Tone::kBad);
    }
  } else if (facts.has_run) {
    page->Line("goes on with the run in " + folder + " (ponder inspect " + folder +
               " says from where)");
  } else {
    page->Line("begins a new run in " + folder);
  }
}

}  // namespace

std::string TextOf(const ExperimentFacts& facts, const ConsoleStyle& style) {
  const ExperimentConfig& config = facts.config;
  TextPage page(style);
  page.Title("experiment " + facts.path);
  page.Line("run '" + config.run.name + "', seed " + std::to_string(config.run.seed) + "; " +
            Plural(static_cast<uint64_t>(config.launch.trainer_ranks), "trainer rank") + ", " +
            Plural(static_cast<uint64_t>(config.launch.workers), "worker") + ", " +
            Plural(static_cast<uint64_t>(config.launch.reward_services), "reward service"));
  page.Title("models");
  for (const ModelFacts& model : facts.models) {
    page.Item(model.name, ModelText(model), kLabelColumns);
  }
  if (!facts.models_problem.empty()) {
    page.Line("their sizes are not known: " + facts.models_problem, Tone::kQuiet);
  }
  page.Title("stages");
  for (const StagePlan& stage : facts.stages) {
    page.Item(stage.name, StageText(stage), kLabelColumns);
  }
  if (!config.evaluation.empty()) page.Title("evaluations");
  for (const EvaluationConfig& evaluation : config.evaluation) {
    page.Item(evaluation.name, EvaluationText(evaluation), kLabelColumns);
  }
  AddStart(facts, &page);
  return page.text();
}

nlohmann::ordered_json JsonOf(const ExperimentFacts& facts) {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const ModelFacts& model : facts.models) {
    nlohmann::ordered_json json{{"name", model.name}, {"source", model.source}};
    if (model.num_parameters > 0) {
      json["num_parameters"] = model.num_parameters;
      json["vocab_size"] = model.vocab_size;
      json["max_positions"] = model.max_positions;
    }
    models.push_back(std::move(json));
  }
  nlohmann::ordered_json stages = nlohmann::ordered_json::array();
  for (const StagePlan& stage : facts.stages) {
    stages.push_back(
        {{"name", stage.name},
         {"algorithm", stage.algorithm},
         {"task", stage.task},
         {"num_steps", stage.num_steps},
         {"sequences_per_step", stage.sequences_per_step},
         {stage.samples ? "max_tokens_per_step" : "mean_tokens_per_step", stage.tokens_per_step}});
  }
  nlohmann::ordered_json differences = nlohmann::ordered_json::array();
  for (const KeyDifference& difference : facts.differences) {
    differences.push_back(
        {{"key", difference.key}, {"before", difference.before}, {"after", difference.after}});
  }
  return {{"kind", "experiment"},
          {"path", facts.path},
          {"run", facts.config.run.name},
          {"run_directory", facts.config.RunDirectory()},
          {"models", std::move(models)},
          {"models_problem", facts.models_problem},
          {"stages", std::move(stages)},
          {"has_run", facts.has_run},
          {"run_problem", facts.run_problem},
          {"differences", std::move(differences)}};
}

}  // namespace ponder
