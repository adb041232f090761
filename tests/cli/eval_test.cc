// `ponder eval` without its processes: the experiment that it runs, and how it shows the result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "cli/evaluation_experiment.h"
#include "cli/evaluation_report.h"
#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ExperimentConfig Trained() {
  return ParseExperiment(R"(config_version: 1
run: {name: demo, seed: 7}
tasks:
  chain: {type: chain, num_operations: {min: 1, max: 2}}
evaluation:
  - {name: heldout, task: chain, num_prompts: 16, every_steps: 5, stages: [imitate]}
  - {name: final, task: chain, num_prompts: 32, num_samples: 8, greedy: true, at: stage_end}
models:
  policy: {init: {run: another, step: best}}
stages:
  - name: imitate
    algorithm: sft
    data: {task: chain, demonstrator: exact}
    num_steps: 10
checkpoint: {best: {evaluation: heldout}}
launch: {trainer_ranks: 4, workers: 3}
)",
                         "x.yaml", {});
}

TEST(EvaluationExperimentTest, IsARunWhoseOnlyStageIsEvaluate) {
  const ExperimentConfig experiment = EvaluationExperiment(Trained(), "/data/demo", {.step = 120});
  EXPECT_EQ(ParseExperiment(ResolvedYaml(experiment), "made", {}), experiment) << "it is valid";
  ASSERT_EQ(experiment.stages.size(), 1U);
  EXPECT_EQ(experiment.stages[0].algorithm, "evaluate");
  EXPECT_EQ(experiment.RunDirectory(), "/data/demo/evaluations/step_000120");
  EXPECT_EQ(RunDirectoryOf(experiment.models[0].init, experiment.run.dir), "/data/demo");
  EXPECT_EQ(experiment.models[0].init.step, 120);
  EXPECT_EQ(experiment.run.seed, 7U) << "the same problems and draws";
  EXPECT_EQ(experiment.evaluation[1].num_samples, 8);
  EXPECT_EQ(experiment.launch.workers, 3);
}

TEST(EvaluationExperimentTest, ChoicesKeepTheOrderOfTheSetsAndTheirOwnFolders) {
  const auto of = [](const EvaluationChoice& choice) {
    return EvaluationExperiment(Trained(), "/data/demo", choice);
  };
  const ExperimentConfig chosen = of({.step = 120, .sets = {"final"}, .num_samples = 64});
  EXPECT_EQ(chosen.evaluation.size(), 2U) << "a set's place in the list keys its draws";
  EXPECT_EQ(chosen.stages[0].sets, std::vector<std::string>{"final"});
  EXPECT_EQ(chosen.evaluation[1].num_samples, 64);
  EXPECT_NE(chosen.run.name, of({.step = 120}).run.name);
  EXPECT_NE(chosen.run.name, of({.step = 120, .sets = {"final"}}).run.name);
}

TEST(EvaluationExperimentTest, RefusesSetsThatTheRunDoesNotHave) {
  EXPECT_THROW(EvaluationExperiment(Trained(), "/data/demo", {.step = 1, .sets = {"fnal"}}), Error);
  ExperimentConfig nothing = Trained();
  nothing.evaluation.clear();
  EXPECT_THROW(EvaluationExperiment(nothing, "/data/demo", {.step = 1}), Error);
}

constexpr const char* kMetrics =
    R"({"at": "stage_end", "kind": "evaluation", "set": "heldout", "val/failed_groups": 1, )"
    R"("val/prompts": 15, "val/response_length": 9.5, "val/sampled": 0.5, "val/sampled_high": 0.6, )"
    R"("val/sampled_low": 0.4, "val/pass_at_2": 0.75, "val/pass_at_2_low": 0.7, )"
    R"("val/pass_at_2_high": 0.8}
)"
    R"({"at": "stage_end", "kind": "evaluation", "set": "final", "val/failed_groups": 0, )"
    R"("val/prompts": 32, "val/response_length": 9.5, "val/sampled": 1, "val/sampled_high": 1, )"
    R"("val/sampled_low": 0.99, "val/greedy": 1, "val/greedy_low": 0.9, "val/greedy_high": 1, )"
    R"("val/maj_at_8": 1, "val/maj_at_8_low": 0.99, "val/maj_at_8_high": 1}
)";

nlohmann::json Report() {
  return EvaluationJson(EvaluationExperiment(Trained(), "/data/demo", {.step = 120}), kMetrics);
}

TEST(EvaluationReportTest, TheJsonHasEveryShareWithItsInterval) {
  const nlohmann::json report = Report();
  EXPECT_EQ(report.at("run"), "/data/demo");
  EXPECT_EQ(report.at("step"), 120);
  const nlohmann::json& heldout = report.at("sets").at(0);
  EXPECT_EQ(heldout.at("num_failed"), 1);
  EXPECT_EQ(heldout.at("shares").at("pass_at_2"),
            (nlohmann::json{{"value", 0.75}, {"low", 0.7}, {"high", 0.8}}));
  EXPECT_FALSE(heldout.at("shares").contains("response_length")) << "not a share";
  EXPECT_EQ(heldout.at("outcomes"),
            "/data/demo/evaluations/step_000120/outcomes/heldout_after_evaluate.jsonl");
}

TEST(EvaluationReportTest, TheTableFitsIntoEightyColumns) {
  const std::string table = EvaluationTable(Report());
  EXPECT_THAT(table, HasSubstr("heldout: 15 prompts of task chain, 4 samples each"));
  EXPECT_THAT(table, HasSubstr("1 more prompts have no answer"));
  EXPECT_THAT(table, HasSubstr("2   75.0% [70.0, 80.0]         -"));
  EXPECT_THAT(table, HasSubstr("greedy  100.0% [90.0, 100.0]"));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(EvaluationReportTest, ASetWithoutALineIsAnError) {
  EXPECT_THROW(EvaluationJson(EvaluationExperiment(Trained(), "/data/demo", {.step = 120}), "{}\n"),
               Error);
}

}  // namespace
}  // namespace ponder
