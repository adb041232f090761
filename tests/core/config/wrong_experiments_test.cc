// Wrong experiments and what they are told, word for word.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/experiment.h"
#include "core/config/experiment_schema.h"
#include "tests/core/config/test_experiments.h"

namespace ponder {
namespace {

std::string ListOf(const std::vector<Kind>& kinds) {
  std::string list;
  for (const std::string& name : NamesOf(kinds)) list += (list.empty() ? "" : ", ") + name;
  return list;
}

// The names grow when someone adds a kind (`ponder new`), so they are put in here.
std::string WithNames(std::string message) {
  const std::pair<std::string, std::vector<Kind>> kinds[] = {
      {"$ALGORITHMS", AlgorithmKinds()}, {"$TASKS", TaskKinds()}, {"$REWARDS", RewardKinds()}};
  for (const auto& [word, names] : kinds) {
    const size_t at = message.find(word);
    if (at != std::string::npos) message.replace(at, word.size(), ListOf(names));
  }
  return message;
}

class WrongExperimentTest : public ::testing::TestWithParam<WrongExperiment> {};

TEST_P(WrongExperimentTest, IsToldWhatIsWrongAndWhere) {
  const WrongExperiment& wrong = GetParam();
  const std::string text = Spoiled(wrong.from, wrong.to);
  ASSERT_FALSE(text.empty()) << "the valid experiment has no '" << wrong.from << "'";
  EXPECT_EQ(ProblemsOf(text), WithNames(wrong.message));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"MisspelledKey", "      learning_rate: 5", "      learning_rat: 5",
                        "x.yaml:28:7: unknown key 'learning_rat' in stages[1].optimizer; did you "
                        "mean 'learning_rate'?"},
        WrongExperiment{"KeyLikeNone", "seed: 7", "colour: 7",
                        "x.yaml:2:19: unknown key 'colour' in run; its keys are name, seed, dir"},
        WrongExperiment{"MisspelledSection", "checkpoint:", "checkpoints:",
                        "x.yaml:34:1: unknown key 'checkpoints' in the file; did you mean "
                        "'checkpoint'?"},
        WrongExperiment{"DuplicateKey", "seed: 7", "seed: 7, seed: 8",
                        "x.yaml:2:28: duplicate key 'seed' in run; it is given first in line 2"},
        WrongExperiment{"DuplicateTask", "  chain:\n    type: chain\n",
                        "  facts:\n    type: chain\n",
                        "x.yaml:5:3: duplicate key 'facts' in tasks; it is given first in line 4\n"
                        "x.yaml:10:27: evaluation[0].task: no task 'chain'; the tasks are facts\n"
                        "x.yaml:23:11: stages[1].task: no task 'chain'; the tasks are facts"},
        WrongExperiment{"DuplicateStageName", "name: reason", "name: imitate",
                        "x.yaml:21:11: stages[1].name: 'imitate' is the name of stages[0] already"},
        WrongExperiment{"MissingRunName", "name: demo, ", "",
                        "x.yaml:2:6: run.name: missing; it has no default"},
        WrongExperiment{"MissingVersion", "config_version: 1\n", "",
                        "x.yaml:1:1: config_version: missing; it has no default"},
        WrongExperiment{"OtherVersion", "config_version: 1", "config_version: 2",
                        "x.yaml:1:17: config_version: expected a whole number, 1, got '2'"},
        WrongExperiment{"MissingKeyOfAnAlgorithm", "    task: chain\n    num_steps",
                        "    num_steps",
                        "x.yaml:21:5: stages[1].task: missing; algorithm 'grpo' needs it"},
        WrongExperiment{"MissingKeyOfTheOther", "    data: {task: facts, demonstrator: exact}\n",
                        "", "x.yaml:14:5: stages[0].data: missing; algorithm 'sft' needs it"},
        WrongExperiment{"KeyOfAnotherAlgorithm", "    batch_size: 8",
                        "    batch_size: 8\n    clip: {low: 0.1, high: 0.1}",
                        "x.yaml:19:5: stages[0].clip: algorithm 'sft' takes no 'clip'; it is for "
                        "grpo"},
        WrongExperiment{"SectionLeftEmpty", "    clip: {low: 0.2, high: 0.28}", "    clip:",
                        "x.yaml:30:5: stages[1].clip: expected a section, got nothing (leave the "
                        "key out for its default)"},
        WrongExperiment{"SectionIsAScalar", "{preset: tiny}", "tiny",
                        "x.yaml:12:18: models.policy.init: expected a section, got 'tiny'"},
        WrongExperiment{"ListIsASection", "      - {name: answer, type: exact_answer, weight: 1.0}",
                        "      name: answer",
                        "x.yaml:33:7: stages[1].rewards: expected a list, got a section"},
        WrongExperiment{"EmptyList",
                        "    rewards:\n      - {name: answer, type: exact_answer, weight: 1.0}",
                        "    rewards: []",
                        "x.yaml:32:14: stages[1].rewards: expected 1 or more entries, got 0"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    KeysOfOtherPrograms, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"TrlGenerations", "samples_per_prompt", "num_generations",
                        "x.yaml:26:5: unknown key 'num_generations' in stages[1]; TRL's "
                        "num_generations is stages[].samples_per_prompt here (8 in both)"},
        WrongExperiment{
            "TrlBatchSize", "batch_size: 8", "per_device_train_batch_size: 8",
            "x.yaml:18:5: unknown key 'per_device_train_batch_size' in stages[0]; "
            "TRL's per_device_train_batch_size is stages[].batch_size here (over all "
            "ranks; for grpo it is stages[].prompts_per_step, prompts and not answers)"},
        WrongExperiment{"LearningRateOfTheStage", "    batch_size: 8", "    learning_rate: 0.1",
                        "x.yaml:18:5: unknown key 'learning_rate' in stages[0]; the stage's is "
                        "optimizer.learning_rate"},
        WrongExperiment{"TrlBeta", "    prompts_per_step: 4", "    beta: 0.04",
                        "x.yaml:25:5: unknown key 'beta' in stages[1]; TRL's beta has no "
                        "counterpart here (there is no KL term and no DPO yet; GRPOConfig's beta "
                        "is 0 by default)"},
        WrongExperiment{"VerlPolicy", "checkpoint:", "actor_rollout_ref:",
                        "x.yaml:34:1: unknown key 'actor_rollout_ref' in the file; it is a "
                        "section of verl's: docs/from_verl_and_trl.md says what its keys are here"},
        WrongExperiment{
            "ModelFromAFolder", "{preset: tiny}", "{folder: models/Qwen}",
            "x.yaml:12:19: unknown key 'folder' in models.policy.init; models cannot "
            "be read from a folder; the forms are {preset: NAME}, {run: NAME, step: N}, "
            "{run: NAME, step: best} and {run: NAME, stage: NAME}"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Values, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"TextForANumber", "num_steps: 20", "num_steps: many",
                        "x.yaml:24:16: stages[1].num_steps: expected a whole number, 1 or more, "
                        "got 'many'"},
        WrongExperiment{"FractionForAWholeNumber", "num_steps: 20", "num_steps: 20.5",
                        "x.yaml:24:16: stages[1].num_steps: expected a whole number, 1 or more, "
                        "got '20.5' (write it without '.' and 'e')"},
        WrongExperiment{"ExponentForAWholeNumber", "num_steps: 20", "num_steps: 1e3",
                        "x.yaml:24:16: stages[1].num_steps: expected a whole number, 1 or more, "
                        "got '1e3' (write it without '.' and 'e')"},
        WrongExperiment{"OctalLooking", "num_steps: 20", "num_steps: 020",
                        "x.yaml:24:16: stages[1].num_steps: expected a whole number, 1 or more, "
                        "got '020' (a leading zero reads as octal elsewhere; leave it out)"},
        WrongExperiment{"Hexadecimal", "seed: 7", "seed: 0x10",
                        "x.yaml:2:25: run.seed: expected a whole number, 0 to "
                        "18446744073709551615, got '0x10'"},
        WrongExperiment{"NegativeSeed", "seed: 7", "seed: -1",
                        "x.yaml:2:25: run.seed: expected a whole number, 0 to "
                        "18446744073709551615, got '-1'"},
        WrongExperiment{"SeedBeyond64Bits", "seed: 7", "seed: 18446744073709551616",
                        "x.yaml:2:25: run.seed: expected a whole number, 0 to "
                        "18446744073709551615, got '18446744073709551616'"},
        WrongExperiment{"QuotedNumber", "num_steps: 20", "num_steps: \"20\"",
                        "x.yaml:24:16: stages[1].num_steps: expected a whole number, 1 or more, "
                        "got the quoted text \"20\" (remove the quotes)"},
        WrongExperiment{"EmptyValue", "num_steps: 20", "num_steps:",
                        "x.yaml:24:5: stages[1].num_steps: expected a whole number, 1 or more, got "
                        "nothing"},
        WrongExperiment{"BatchOfNothing", "batch_size: 8", "batch_size: 0",
                        "x.yaml:18:17: stages[0].batch_size: expected a whole number, 1 or more, "
                        "got '0'"},
        WrongExperiment{"EvaluationOfNothing", "num_prompts: 16", "num_prompts: 0",
                        "x.yaml:10:47: evaluation[0].num_prompts: expected a whole number, 1 or "
                        "more, got '0'"},
        WrongExperiment{"NoNewTokens", "max_new_tokens: 32", "max_new_tokens: 0",
                        "x.yaml:31:49: stages[1].rollout.max_new_tokens: expected a whole number, "
                        "1 to 1048576, got '0'"},
        WrongExperiment{"NotANumber", "learning_rate: 5.0e-4", "learning_rate: .nan",
                        "x.yaml:28:22: stages[1].optimizer.learning_rate: expected a number, 0 < x "
                        "<= 10, got '.nan' (only finite numbers are taken)"},
        WrongExperiment{"Infinite", "learning_rate: 5.0e-4", "learning_rate: .inf",
                        "x.yaml:28:22: stages[1].optimizer.learning_rate: expected a number, 0 < x "
                        "<= 10, got '.inf' (only finite numbers are taken)"},
        WrongExperiment{"OverflowingNumber", "learning_rate: 5.0e-4", "learning_rate: 1e400",
                        "x.yaml:28:22: stages[1].optimizer.learning_rate: expected a number, 0 < x "
                        "<= 10, got '1e400' (outside what a double holds)"},
        WrongExperiment{"RateOfZero", "learning_rate: 5.0e-4", "learning_rate: 0.0",
                        "x.yaml:28:22: stages[1].optimizer.learning_rate: expected a number, 0 < x "
                        "<= 10, got '0.0'"},
        WrongExperiment{"BetaOfOne", "betas: [0.9, 0.99]", "betas: [0.9, 1.0]",
                        "x.yaml:29:20: stages[1].optimizer.betas[1]: expected a number, 0 <= x < "
                        "1, got '1.0'"},
        WrongExperiment{"TemperatureOfZero", "temperature: 1.0", "temperature: 0",
                        "x.yaml:31:28: stages[1].rollout.temperature: expected a number, 0 < x <= "
                        "100, got '0'"},
        WrongExperiment{"YesForTrue", "every_steps: 5", "every_steps: 5, greedy: yes",
                        "x.yaml:10:75: evaluation[0].greedy: expected true or false, got 'yes'"},
        WrongExperiment{"OffForFalse", "every_steps: 5", "every_steps: 5, greedy: off",
                        "x.yaml:10:75: evaluation[0].greedy: expected true or false, got 'off'"},
        WrongExperiment{"NumberForAName", "name: demo", "name: 2024",
                        "x.yaml:2:13: run.name: expected a name of 1 to 64 letters, digits, '.', "
                        "'_' or '-' that starts with none of '.' and '-', got '2024' (YAML reads "
                        "this as another type; write \"2024\")"},
        WrongExperiment{"NoForAName", "name: reason", "name: no",
                        "x.yaml:21:11: stages[1].name: expected a name of 1 to 64 letters, digits, "
                        "'.', '_' or '-' that starts with none of '.' and '-', got 'no' (YAML "
                        "reads this as another type; write \"no\")"},
        WrongExperiment{"PathTraversal", "name: demo", "name: ../demo",
                        "x.yaml:2:13: run.name: expected a name of 1 to 64 letters, digits, '.', "
                        "'_' or '-' that starts with none of '.' and '-', got '../demo'"},
        WrongExperiment{"ShellCharacters", "name: reason", "name: 'a;rm -rf $HOME'",
                        "x.yaml:21:11: stages[1].name: expected a name of 1 to 64 letters, digits, "
                        "'.', '_' or '-' that starts with none of '.' and '-', got the quoted text "
                        "\"a;rm -rf $HOME\""},
        WrongExperiment{"BadTaskName", "  facts: {", "  .facts: {",
                        "x.yaml:4:3: tasks: expected a name of 1 to 64 letters, digits, '.', '_' "
                        "or '-' that starts with none of '.' and '-', got the quoted text "
                        "\".facts\"\n"
                        "x.yaml:16:18: stages[0].data.task: no task 'facts'; the tasks are chain"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Choices, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"MisspelledAlgorithm", "algorithm: grpo", "algorithm: gpro",
                        "x.yaml:22:16: stages[1].algorithm: expected one of $ALGORITHMS, "
                        "got 'gpro'; did you mean 'grpo'?"},
        WrongExperiment{"UnknownAlgorithm", "algorithm: grpo", "algorithm: alphazero",
                        "x.yaml:22:16: stages[1].algorithm: expected one of $ALGORITHMS, "
                        "got 'alphazero'"},
        WrongExperiment{"UnknownTaskType", "    type: chain", "    type: sudoku",
                        "x.yaml:6:11: tasks.chain.type: expected one of $TASKS, got 'sudoku'"},
        WrongExperiment{"UnknownPreset", "preset: tiny", "preset: tini",
                        "x.yaml:12:27: models.policy.init.preset: expected one of tiny, 10m, 0.5b, "
                        "got 'tini'; did you mean 'tiny'?"},
        WrongExperiment{"UnknownRewardType", "type: exact_answer", "type: exact_answers",
                        "x.yaml:33:30: stages[1].rewards[0].type: expected one of $REWARDS, "
                        "got 'exact_answers'; did you mean "
                        "'exact_answer'?"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    KeysThatDisagree, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"UnknownTask", "    task: chain\n", "    task: chian\n",
                        "x.yaml:23:11: stages[1].task: no task 'chian'; did you mean 'chain'?"},
        WrongExperiment{"UnknownDemonstrator", "demonstrator: exact", "demonstrator: exakt",
                        "x.yaml:16:39: stages[0].data.demonstrator: no demonstrator of task "
                        "'facts' called 'exakt'; did you mean 'exact'?"},
        WrongExperiment{"UnknownModel", "    algorithm: grpo",
                        "    algorithm: grpo\n    model: polices",
                        "x.yaml:23:12: stages[1].model: no model 'polices'; did you mean "
                        "'policy'?"},
        WrongExperiment{"UnknownStage", "every_steps: 5", "every_steps: 5, stages: [raeson]",
                        "x.yaml:10:76: evaluation[0].stages[0]: no stage 'raeson'; did you mean "
                        "'reason'?"},
        WrongExperiment{"SecondModel", "  policy: {init: {preset: tiny}}\n",
                        "  policy: {init: {preset: tiny}}\n  other: {init: {preset: tiny}}\n",
                        "x.yaml:11:1: models: expected one model, which every stage trains, got 2"},
        WrongExperiment{"OtherSplitSeed", "    modulus: 11\n", "    task_seed: 2\n",
                        "x.yaml:7:16: tasks.chain.task_seed: expected that of task 'facts' of the "
                        "same type, 1, got 2 (else one task trains on what the other holds out)"},
        WrongExperiment{"OtherSplitShare", "    modulus: 11\n", "    eval_share: 0.2\n",
                        "x.yaml:7:17: tasks.chain.eval_share: expected that of task 'facts' of the "
                        "same type, 0.1, got 0.2 (else one task trains on what the other holds "
                        "out)"},
        WrongExperiment{"OneAnswerTooMany", "num_prompts: 16,",
                        "num_prompts: 16, num_samples: 4096, greedy: true,",
                        "x.yaml:10:64: evaluation[0].num_samples: expected at most 4096 answers to "
                        "a prompt, the greedy one included, got 4097"},
        WrongExperiment{"EmptyRange", "{min: 2, max: 3}", "{min: 4, max: 3}",
                        "x.yaml:8:35: tasks.chain.num_operations.max: expected at least min, 4, "
                        "got 3"},
        WrongExperiment{"HalfARange", "{min: 2, max: 3}", "{min: 2}",
                        "x.yaml:8:21: tasks.chain.num_operations.max: missing; it has no default"},
        WrongExperiment{"ModulusNotPrime", "modulus: 11", "modulus: 12",
                        "x.yaml:7:14: tasks.chain.modulus: expected a prime, got 12"},
        WrongExperiment{"DecayIsMissing", ", decay_steps: 10", "",
                        "x.yaml:20:5: stages[0].schedule.decay_steps: schedule 'linear' needs more "
                        "than warmup_steps, 2, got 0 (it counts from the start of the stage)"},
        WrongExperiment{"WarmUpBeyondDecay", "warmup_steps: 2", "warmup_steps: 10",
                        "x.yaml:20:61: stages[0].schedule.decay_steps: schedule 'linear' needs "
                        "more than warmup_steps, 10, got 10 (it counts from the start of the "
                        "stage)"},
        WrongExperiment{"ConstantDecays", "name: linear", "name: constant",
                        "x.yaml:20:62: stages[0].schedule.decay_steps: schedule 'constant' takes "
                        "none, got 10"},
        WrongExperiment{"OneBeta", "betas: [0.9, 0.99]", "betas: [0.9]",
                        "x.yaml:29:7: stages[1].optimizer.betas: expected 2 numbers, got 1"},
        WrongExperiment{"GroupOfOne", "samples_per_prompt: 8", "samples_per_prompt: 1",
                        "x.yaml:26:25: stages[1].samples_per_prompt: expected at least 2 with "
                        "algorithm 'grpo', got 1 (an answer is compared with the others to its "
                        "prompt)"},
        WrongExperiment{"UnevenMinibatches", "    prompts_per_step: 4",
                        "    prompts_per_step: 4\n    num_minibatches: 3",
                        "x.yaml:26:22: stages[1].num_minibatches: expected a divisor of "
                        "prompts_per_step, 4, got 3"},
        WrongExperiment{"NoRoomForThePrompt", "max_new_tokens: 32",
                        "max_new_tokens: 32, max_total_tokens: 32",
                        "x.yaml:31:71: stages[1].rollout.max_total_tokens: expected more than "
                        "max_new_tokens, 32, got 32 (it counts the prompt too)"},
        WrongExperiment{"RewardsWeighNothing", "weight: 1.0", "weight: 0",
                        "x.yaml:32:5: stages[1].rewards: expected a weight other than 0, got none"},
        WrongExperiment{"NeverEvaluated", ", every_steps: 5", "",
                        "x.yaml:10:5: evaluation[0]: it is never measured; expected every_steps, "
                        "or at: stage_end, or both"},
        WrongExperiment{"MisspelledKeyIsNotAlsoMissing", "every_steps: 5", "evry_steps: 5",
                        "x.yaml:10:51: unknown key 'evry_steps' in evaluation[0]; did you mean "
                        "'every_steps'?"},
        WrongExperiment{"TwoForms", "{preset: tiny}", "{preset: tiny, run: other, step: 3}",
                        "x.yaml:12:12: models.policy.init: expected exactly one of the forms "
                        "{preset: NAME}, {run: NAME, step: N}, {run: NAME, step: best} and {run: "
                        "NAME, stage: NAME}"},
        WrongExperiment{"ForkOfItself", "{preset: tiny}", "{run: demo, step: 3}",
                        "x.yaml:12:24: models.policy.init.run: a run cannot begin with itself; "
                        "expected another run than 'demo' (to make it longer, raise num_steps of "
                        "its last stage)"},
        WrongExperiment{"StepAndStage", "{preset: tiny}", "{run: other, step: 3, stage: last}",
                        "x.yaml:12:12: models.policy.init: expected exactly one of the forms "
                        "{preset: NAME}, {run: NAME, step: N}, {run: NAME, step: best} and {run: "
                        "NAME, stage: NAME}"},
        WrongExperiment{"NoLength", "    num_steps: 10\n", "",
                        "x.yaml:14:5: stages[0].num_steps: missing; algorithm 'sft' needs it, or "
                        "data.num_epochs instead"},
        WrongExperiment{"NoLengthOfAnAlgorithmWithoutEpochs", "    num_steps: 20\n", "",
                        "x.yaml:21:5: stages[1].num_steps: missing; algorithm 'grpo' needs it"},
        WrongExperiment{"EpochsOfNothing", "demonstrator: exact}",
                        "demonstrator: exact, num_epochs: 2}",
                        "x.yaml:16:58: stages[0].data.num_epochs: an epoch is a pass over "
                        "data.num_demonstrations; expected both"},
        WrongExperiment{"StepsAndEpochs", "demonstrator: exact}",
                        "demonstrator: exact, num_demonstrations: 20, num_epochs: 3}",
                        "x.yaml:17:16: stages[0].num_steps: expected num_steps or "
                        "data.num_epochs, got both, 10 steps and 3 epochs of 8 steps together; "
                        "leave num_steps out"},
        WrongExperiment{"BestByNothing", "keep: 2", "keep: 2, best: {evaluation: heldot}",
                        "x.yaml:34:57: checkpoint.best.evaluation: no evaluation 'heldot'; did "
                        "you mean 'heldout'?"},
        WrongExperiment{"BestByAMetricThatIsNotMeasured", "keep: 2",
                        "keep: 2, best: {evaluation: heldout, metric: val/pass_at_8}",
                        "x.yaml:34:74: checkpoint.best.metric: no metric of evaluation 'heldout' "
                        "called 'val/pass_at_8'; did you mean 'val/pass_at_2'?"},
        WrongExperiment{"BestByNoMetric", "keep: 2",
                        "keep: 2, best: {evaluation: heldout, metric: sampled}",
                        "x.yaml:34:74: checkpoint.best.metric: expected a metric, AREA/NAME, got "
                        "'sampled'"},
        WrongExperiment{"BestByAMetricOfNothing", "keep: 2",
                        "keep: 2, best: {metric: val/sampled, mode: max}",
                        "x.yaml:34:45: checkpoint.best.metric: expected 'evaluation' beside it, "
                        "got none (alone it does nothing)\n"
                        "x.yaml:34:66: checkpoint.best.mode: expected 'evaluation' beside it, got "
                        "none (alone it does nothing)"},
        WrongExperiment{"MisspelledKeyIsNotAlsoNeeded", "keep: 2",
                        "keep: 2, best: {metric: val/sampled, evalution: heldout}",
                        "x.yaml:34:66: unknown key 'evalution' in checkpoint.best; did you mean "
                        "'evaluation'?"},
        WrongExperiment{"StepThatIsNoWord", "{preset: tiny}", "{run: other, step: bets}",
                        "x.yaml:12:37: models.policy.init.step: expected a whole number, 0 or "
                        "more, or 'best', got 'bets'"},
        WrongExperiment{"RunWithoutStep", "{preset: tiny}", "{run: other}",
                        "x.yaml:12:12: models.policy.init: expected exactly one of the forms "
                        "{preset: NAME}, {run: NAME, step: N}, {run: NAME, step: best} and {run: "
                        "NAME, stage: NAME}"},
        WrongExperiment{"LayersOfAnotherRun", "{preset: tiny}",
                        "{run: other, step: 3, num_layers: 3}",
                        "x.yaml:12:52: models.policy.init.num_layers: it is for a preset; the "
                        "policy of run 'other' has its own layers"},
        WrongExperiment{"KeyOfAnotherTask", "modulus: 11", "max_attempts: 2",
                        "x.yaml:7:5: tasks.chain.max_attempts: type 'chain' takes no "
                        "'max_attempts'; it is for countdown"},
        WrongExperiment{"ReferenceAnswersThatAreMissing",
                        "    type: chain\n    modulus: 11\n    num_operations: {min: 2, max: 3}",
                        "    type: countdown\n    modulus: 11\n    max_attempts: 3",
                        "x.yaml:33:30: stages[1].rewards[0].type: the problems of task 'chain' "
                        "have many right answers and no reference answer; expected "
                        "'task_verifier', got 'exact_answer'"},
        WrongExperiment{"ReferenceAnswersOfAnEvaluation", ", every_steps: 5",
                        ", every_steps: 5, rewards: [{name: a, type: task_verifier}]",
                        "x.yaml:10:93: evaluation[0].rewards[0].type: the problems of task "
                        "'chain' have one right answer; expected 'exact_answer', got "
                        "'task_verifier'"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Yaml, WrongExperimentTest,
    ::testing::Values(
        WrongExperiment{"Tab", "    batch_size: 8", "\tbatch_size: 8",
                        "x.yaml:18:1: indentation with a tab; use spaces"},
        WrongExperiment{"Tag", "seed: 7", "seed: !!int 7",
                        "x.yaml:2:25: YAML tags are not taken, got 'tag:yaml.org,2002:int'"},
        WrongExperiment{"OtherLanguagesObject", "seed: 7", "seed: !!python/object:os.system {}",
                        "x.yaml:2:25: YAML tags are not taken, got "
                        "'tag:yaml.org,2002:python/object:os.system'\n"
                        "x.yaml:2:25: run.seed: expected a whole number, 0 to "
                        "18446744073709551615, got a section"},
        WrongExperiment{"Unbalanced", "seed: 7}", "seed: 7",
                        "x.yaml:3:6: not readable as YAML: end of map flow not found"},
        WrongExperiment{"SecondDocument", "checkpoint:", "---\ncheckpoint:",
                        "x.yaml:35:1: expected one YAML document, got a second one"},
        WrongExperiment{"ListAsKey", "seed: 7", "[seed]: 7",
                        "x.yaml:2:19: expected a name as key, got a list or section"},
        WrongExperiment{"MergeKey", "seed: 7", "<<: 7",
                        "x.yaml:2:19: unknown key '<<' in run; its keys are name, seed, dir"}),
    NameOfCase);

TEST(WrongExperimentsTest, AllProblemsAreToldAtOnceSortedByLine) {
  std::string text(kValidExperiment);
  const auto replace = [&text](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace("keep: 2", "keep: 0");
  replace("clip: {low", "clip: {lo");
  replace("seed: 7", "seed: seven");
  EXPECT_EQ(
      ProblemsOf(text),
      "x.yaml:2:25: run.seed: expected a whole number, 0 to 18446744073709551615, got 'seven'\n"
      "x.yaml:30:12: unknown key 'lo' in stages[1].clip; did you mean 'low'?\n"
      "x.yaml:34:35: checkpoint.keep: expected a whole number, 1 or more, got '0'");
}

TEST(WrongExperimentsTest, AnotherVersionIsToldAlone) {
  EXPECT_EQ(ProblemsOf("config_version: 7\nexperiment: {name: demo}\n"),
            "x.yaml:1:17: config_version: expected a whole number, 1, got '7'");
  EXPECT_EQ(ProblemsOf(Spoiled("keep: 2", "keep: 0"), {"config_version=7"}),
            "--set config_version: expected a whole number, 1, got '7'");
}

TEST(WrongExperimentsTest, ProblemsBeyondTheFirstHundredAreCounted) {
  std::string text(kValidExperiment);
  for (int i = 0; i < 150; ++i) text += "key" + std::to_string(i) + ": 1\n";
  const std::string problems = ProblemsOf(text);
  EXPECT_TRUE(problems.ends_with("\nx.yaml: and 50 problems more")) << problems;
}

TEST(WrongExperimentsTest, EmptyFilesAreRefused) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "null\n"}) {
    EXPECT_EQ(ProblemsOf(text),
              "x.yaml: expected an experiment, got an empty file (configs/quickstart.yaml is one)")
        << "'" << text << "'";
  }
}

TEST(WrongExperimentsTest, AFileThatIsNoSectionIsRefused) {
  EXPECT_EQ(ProblemsOf("just text"), "x.yaml:1:1: the file: expected a section, got 'just text'");
  EXPECT_EQ(ProblemsOf("- a\n- b\n"), "x.yaml:1:1: the file: expected a section, got a list");
}

TEST(WrongExperimentsTest, FilesThatCannotBeReadAreRefused) {
  EXPECT_THROW(
      {
        try {
          ReadExperiment("/nonexistent/x.yaml", {});
        } catch (const ConfigError& error) {
          EXPECT_STREQ(error.what(),
                       "/nonexistent/x.yaml: cannot be read: No such file or directory");
          throw;
        }
      },
      ConfigError);
}

}  // namespace
}  // namespace ponder
