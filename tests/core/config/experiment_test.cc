// What a valid experiment becomes: structs, the resolved file, and comparisons.
#include "core/config/experiment.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/core/config/random_experiment.h"
#include "tests/core/config/test_experiments.h"

namespace ponder {
namespace {

ExperimentConfig Valid(const std::vector<std::string>& overrides = {}) {
  return ParseExperiment(std::string(kValidExperiment), "x.yaml", overrides);
}

TEST(ExperimentTest, ValuesArriveInTheStructs) {
  const ExperimentConfig config = Valid();
  EXPECT_EQ(config.run.name, "demo");
  EXPECT_EQ(config.run.seed, 7u);
  EXPECT_EQ(config.RunDirectory(), "runs/demo");
  ASSERT_EQ(config.tasks.size(), 2u);
  EXPECT_EQ(config.tasks[0].name, "facts") << "in the order of the file";
  EXPECT_EQ(config.tasks[1].name, "chain");
  EXPECT_EQ(config.Task("chain").num_operations, (IntRange{2, 3}));
  EXPECT_EQ(config.models.at(0).init.preset, "tiny");
  const StageConfig& imitate = config.Stage("imitate");
  EXPECT_EQ(imitate.algorithm, "sft");
  EXPECT_EQ(imitate.data, (DataConfig{.task = "facts", .demonstrator = "exact"}));
  EXPECT_EQ(imitate.batch_size, 8);
  EXPECT_EQ(imitate.schedule.decay_steps, 10);
  const StageConfig& reason = config.Stage("reason");
  EXPECT_EQ(reason.task, "chain");
  EXPECT_DOUBLE_EQ(reason.optimizer.learning_rate, 5e-4);
  EXPECT_EQ(reason.optimizer.betas, (std::vector<double>{0.9, 0.99}));
  EXPECT_DOUBLE_EQ(reason.clip.high, 0.28);
  EXPECT_EQ(reason.rollout.max_new_tokens, 32);
  EXPECT_EQ(config.checkpoint.keep, 2);
}

TEST(ExperimentTest, KeysThatAreLeftOutHaveTheirDefaults) {
  const ExperimentConfig config = Valid();
  EXPECT_EQ(config.trainer, TrainerConfig{});
  EXPECT_EQ(config.launch, LaunchConfig{});
  EXPECT_EQ(config.Stage("reason").schedule, ScheduleConfig{});
  EXPECT_EQ(config.Stage("imitate").model, "policy");
  const std::vector<RewardConfig> answer{{.name = "answer", .type = "exact_answer", .weight = 1.0}};
  EXPECT_EQ(config.evaluation.at(0).rewards, answer);
}

TEST(ExperimentTest, AnEvaluationIsJudgedByWhatDecidesItsTask) {
  std::string text = Spoiled("type: chain\n    modulus: 11\n    num_operations: {min: 2, max: 3}",
                             "type: countdown\n    modulus: 11\n    max_attempts: 3");
  const size_t reward = text.find("exact_answer");
  text.replace(reward, std::string("exact_answer").size(), "task_verifier");
  const ExperimentConfig config = ParseExperiment(text, "x.yaml", {});
  const std::vector<RewardConfig> answer{
      {.name = "answer", .type = "task_verifier", .weight = 1.0}};
  EXPECT_EQ(config.evaluation.at(0).rewards, answer);
}

TEST(ExperimentTest, APresetCanHaveAnotherNumberOfLayers) {
  EXPECT_EQ(Valid().models.at(0).init.num_layers, 0);
  EXPECT_EQ(ResolvedYaml(Valid()).find("num_layers"), std::string::npos);
  EXPECT_EQ(Valid({"models.policy.init.num_layers=3"}).models.at(0).init.num_layers, 3);
}

TEST(ExperimentTest, LargeNumbersKeepAllTheirDigits) {
  const ExperimentConfig config = Valid({"run.seed=18446744073709551615"});
  EXPECT_EQ(config.run.seed, 18446744073709551615u);
  EXPECT_EQ(ParseExperiment(ResolvedYaml(config), "r.yaml", {}).run.seed, 18446744073709551615u);
}

TEST(ExperimentTest, RewardSetsGoByStageAndEvaluation) {
  const ExperimentConfig config = Valid({"stages.reason.rewards.answer.weight=3"});
  EXPECT_EQ(config.RewardSet("stage/reason").at(0).weight, 3.0);
  EXPECT_EQ(config.RewardSet("evaluation/heldout").at(0).weight, 1.0);
  for (const char* wrong : {"stage/none", "evaluation/none", "reason", "other/reason", ""}) {
    EXPECT_THROW(config.RewardSet(wrong), Error) << wrong;
  }
  EXPECT_THROW(config.Task("none"), Error);
  EXPECT_THROW(config.Stage("none"), Error);
}

TEST(ExperimentTest, VariablesInsideFlowSectionsAreQuotedAndStayNumbers) {
  setenv("PONDER_TEST_STEPS", "12", 1);
  const std::string text = Spoiled("seed: 7", "seed: \"${PONDER_TEST_STEPS}\"");
  EXPECT_EQ(ParseExperiment(text, "x.yaml", {}).run.seed, 12u);
}

// Splices that matter to YAML, to numbers and to memory.
std::string DrawSplice() {
  return *rc::gen::elementOf(std::vector<std::string>{"",
                                                      ":",
                                                      ": ",
                                                      "-",
                                                      "- ",
                                                      "{",
                                                      "}",
                                                      "[",
                                                      "]",
                                                      "&a ",
                                                      "*a",
                                                      "!x ",
                                                      "|\n",
                                                      ">\n",
                                                      "\"",
                                                      "'",
                                                      "#",
                                                      "?",
                                                      "? ",
                                                      "\t",
                                                      "\n",
                                                      "\r",
                                                      "%",
                                                      "@",
                                                      "~",
                                                      "<<: ",
                                                      "---\n",
                                                      "...\n",
                                                      "${",
                                                      "${A:-",
                                                      "e9999",
                                                      std::string(1, '\0'),
                                                      "\xff",
                                                      "\xef\xbb\xbf",
                                                      "\xe2\x80\xa8",
                                                      "99999999999999999999"});
}

TEST(ExperimentTest, AnySpoiledTextIsReadOrRefusedAsConfiguration) {
  int num_refused = 0;
  EXPECT_TRUE(rc::check([&num_refused] {
    std::string text(kValidExperiment);
    for (int i = 0; i < *rc::gen::inRange(1, 6); ++i) {
      const auto position = *rc::gen::inRange<size_t>(0, text.size());
      text.replace(position, *rc::gen::inRange<size_t>(0, 8), DrawSplice());
    }
    try {
      ParseExperiment(text, "x.yaml", {});
    } catch (const ConfigError& error) {
      ++num_refused;
      RC_ASSERT(std::string(error.what()).starts_with("x.yaml"));
    }
  }));
  EXPECT_GT(num_refused, 0);
}

std::vector<RewardConfig> RewardsFrom(const std::string& reward) {
  return ParseExperiment(Spoiled("type: exact_answer, weight: 1.0", reward), "x.yaml", {})
      .Stage("reason")
      .rewards;
}

TEST(ExperimentTest, ACommandIsAListOfWordsOrATextForTheShell) {
  EXPECT_EQ(RewardsFrom("type: command, command: [python3, x.py, 0.5]")[0].command,
            (std::vector<std::string>{"python3", "x.py", "0.5"}));
  EXPECT_EQ(RewardsFrom("type: command, command: python3 x.py | tee log")[0].command,
            (std::vector<std::string>{"/bin/sh", "-c", "python3 x.py | tee log"}));
}

TEST(ExperimentTest, ATemplateFileBecomesPartOfTheExperiment) {
  const std::string file = ::testing::TempDir() + "ponder_template.txt";
  const std::string keys = "type: http, model: m, url: http://x/, template_file: " + file;
  std::ofstream(file) << "Judge {response}\nto \"{reference}\"\n";
  const ExperimentConfig config =
      ParseExperiment(Spoiled("type: exact_answer, weight: 1.0", keys), "x.yaml", {});
  EXPECT_EQ(config.Stage("reason").rewards[0].prompt_template,
            "Judge {response}\nto \"{reference}\"\n");
  std::remove(file.c_str());
  EXPECT_EQ(ParseExperiment(ResolvedYaml(config), "resolved.yaml", {}), config)
      << "what was read does not need the file again";
  EXPECT_THROW(RewardsFrom(keys), ConfigError) << "there is no such file any more";
  std::ofstream(file) << "Judge it\n";
  EXPECT_THROW(RewardsFrom(keys), ConfigError) << "{response} is missing";
}

TEST(ExperimentTest, EpochsSayHowManyStepsAStageHas) {
  const auto steps = [](const std::string& epochs) {
    return ParseExperiment(Spoiled("    num_steps: 10\n", ""), "x.yaml",
                           {"stages.imitate.data.num_demonstrations=20",
                            "stages.imitate.data.num_epochs=" + epochs})
        .Stage("imitate")
        .num_steps;
  };
  EXPECT_EQ(steps("2"), 5) << "40 demonstrations in steps of 8";
  EXPECT_EQ(steps("3"), 8) << "the last step is filled up";
}

TEST(ExperimentTest, ARunIsNamedByItsNameOrItsFolder) {
  ModelInit init;
  init.run = "other";
  EXPECT_EQ(RunDirectoryOf(init, "somewhere"), "somewhere/other");
  init.run = "/data/other";
  EXPECT_EQ(RunDirectoryOf(init, "somewhere"), "/data/other");
  EXPECT_EQ(Valid({"models.policy.init={run: other, step: best}"}).models.at(0).init.step,
            kBestStep);
}

TEST(ExperimentTest, AnEvaluationHasTheMetricsOfItsSettings) {
  EvaluationConfig evaluation;
  evaluation.num_samples = 5;
  evaluation.greedy = true;
  EXPECT_EQ(EvaluationMetricNames(evaluation),
            (std::vector<std::string>{"val/sampled", "val/greedy", "val/pass_at_2", "val/pass_at_4",
                                      "val/maj_at_2", "val/maj_at_4", "val/response_length"}));
  evaluation = {};
  evaluation.num_samples = 1;
  EXPECT_EQ(EvaluationMetricNames(evaluation),
            (std::vector<std::string>{"val/sampled", "val/response_length"}));
}

TEST(ResolvedYamlTest, HasEveryKeyOfWhatIsTaken) {
  const std::string yaml = ResolvedYaml(Valid());
  for (const char* line : {"  dir: runs\n", "    eval_share: 0.1\n", "      max_total_tokens: 0\n",
                           "  max_restarts: 5\n", "    advantage_std: group\n"}) {
    EXPECT_NE(yaml.find(line), std::string::npos) << line << " is not in\n" << yaml;
  }
}

TEST(ResolvedYamlTest, ReadsBackToAnEqualExperiment) {
  EXPECT_TRUE(rc::check([] {
    const ExperimentConfig config = *GenExperiment();
    const std::string yaml = ResolvedYaml(config);
    const ExperimentConfig again = ParseExperiment(yaml, "resolved.yaml", {});
    RC_ASSERT(again == config);
    RC_ASSERT(ResolvedYaml(again) == yaml);
  }));
}

std::string Shown(const std::vector<KeyDifference>& differences) {
  std::string text;
  for (const KeyDifference& difference : differences) {
    const char* kClasses[] = {"exact", "soft", "free"};
    text += difference.key + " " + kClasses[static_cast<int>(difference.key_class)] + ": " +
            difference.before + " -> " + difference.after + "\n";
  }
  return text;
}

TEST(CompareExperimentsTest, EqualExperimentsDoNotDiffer) {
  EXPECT_TRUE(rc::check([] {
    const ExperimentConfig config = *GenExperiment();
    RC_ASSERT(CompareExperiments(config, config).empty());
  }));
}

TEST(CompareExperimentsTest, EveryDifferenceHasItsKeyAndItsClass) {
  const ExperimentConfig after =
      Valid({"stages.reason.clip.high=0.3", "stages.reason.num_steps=40", "launch.workers=2",
             "launch.trainer_ranks=1", "tasks.chain.modulus=13", "evaluation.heldout.num_prompts=8",
             "stages.imitate.optimizer.betas=[0.9, 0.95]", "trainer.micro_batch_tokens=64",
             "stages.reason.rewards.answer.weight=2", "checkpoint.save_steps=1"});
  EXPECT_EQ(Shown(CompareExperiments(Valid(), after)),
            "tasks.chain.modulus exact: 11 -> 13\n"
            "evaluation.heldout.num_prompts soft: 16 -> 8\n"
            "stages.imitate.optimizer.betas exact: [0.9, 0.999] -> [0.9, 0.95]\n"
            "stages.reason.num_steps free: 20 -> 40\n"
            "stages.reason.clip.high exact: 0.28 -> 0.3\n"
            "stages.reason.rewards.answer.weight exact: 1 -> 2\n"
            "checkpoint.save_steps free: 5 -> 1\n"
            "trainer.micro_batch_tokens soft: 4096 -> 64\n"
            "launch.trainer_ranks soft: 2 -> 1\n"
            "launch.workers free: 1 -> 2\n");
}

TEST(CompareExperimentsTest, TheOrderOfStagesCounts) {
  ExperimentConfig after = Valid();
  std::swap(after.stages[0], after.stages[1]);
  EXPECT_EQ(Shown(CompareExperiments(Valid(), after)),
            "stages exact: [imitate, reason] -> [reason, imitate]\n");
}

TEST(CompareExperimentsTest, WhatOneSideDoesNotHaveIsAbsentThere) {
  ExperimentConfig after = Valid();
  after.evaluation.clear();
  const std::vector<KeyDifference> differences = CompareExperiments(Valid(), after);
  ASSERT_FALSE(differences.empty());
  EXPECT_EQ(differences[0].key, "evaluation");
  EXPECT_EQ(differences[0].after, "[]");
  for (size_t i = 1; i < differences.size(); ++i) {
    EXPECT_TRUE(differences[i].key.starts_with("evaluation.heldout.")) << differences[i].key;
    EXPECT_EQ(differences[i].after, "(absent)");
    EXPECT_EQ(differences[i].key_class, KeyClass::kSoft);
  }
  const std::vector<KeyDifference> reversed = CompareExperiments(after, Valid());
  ASSERT_EQ(reversed.size(), differences.size());
  EXPECT_EQ(reversed[1].before, "(absent)");
}

}  // namespace
}  // namespace ponder
