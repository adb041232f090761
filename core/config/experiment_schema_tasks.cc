// Tasks, rewards and evaluation.
#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

const TextRule kName{};
const RealLimits kShare{.min = 0, .max = 1};

const Section& OperationsSection() {
  static const Section kSection = [] {
    const IntLimits operations{.min = 1, .max = 1000};
    Section section;
    section.Int(&IntRange::min,
                {.name = "min", .help = "fewest", .unit = "operations", .required = true},
                operations);
    section.Int(&IntRange::max,
                {.name = "max", .help = "most", .unit = "operations", .required = true},
                operations);
    return section;
  }();
  return kSection;
}

}  // namespace

const Section& TaskSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&TaskConfig::type,
                 {.name = "type", .help = "the kind of problem", .required = true},
                 {.form = TextRule::Form::kChoice, .choices = NamesOf(TaskKinds())});
    section.Int(&TaskConfig::modulus,
                {.name = "modulus", .help = "all arithmetic is modulo this prime"},
                {.min = 2, .max = 1000});
    section.Nested(&TaskConfig::num_operations,
                   {.name = "num_operations", .help = "operations of one problem, drawn uniformly"},
                   OperationsSection());
    section.Int(&TaskConfig::task_seed,
                {.name = "task_seed",
                 .help = "the task's own seed, the same in every run: misconceptions and split"},
                {.min = 0});
    section.Real(&TaskConfig::misconception_share,
                 {.name = "misconception_share",
                  .help = "share of all facts that the sloppy demonstrator has wrong"},
                 kShare);
    section.Real(&TaskConfig::misconception_probability,
                 {.name = "misconception_probability",
                  .help = "how often it writes the wrong result of such a fact"},
                 kShare);
    section.Real(
        &TaskConfig::slip_probability,
        {.name = "slip_probability", .help = "how often it writes a random result elsewhere"},
        kShare);
    section.Int(&TaskConfig::max_attempts,
                {.name = "max_attempts",
                 .help = "a response that has not reached the target ends after so many",
                 .unit = "attempts"},
                {.min = 1, .max = 18});
    section.Real(
        &TaskConfig::lookahead_probability,
        {.name = "lookahead_probability",
         .help = "how often the search demonstrator picks the last operation of an attempt "
                 "by its result"},
        kShare);
    section.Real(&TaskConfig::eval_share,
                 {.name = "eval_share",
                  .help = "share of all problems, by hash, that only evaluation may see; 0: "
                          "evaluation draws from the problems of training, for tasks with few"},
                 {.min = 0, .max = 1, .max_open = true});
    section.SelectBy("type", TaskKinds());
    return section;
  }();
  return kSection;
}

const Section& EvaluationSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&EvaluationConfig::name,
                 {.name = "name", .help = "the set's name in metrics", .required = true}, kName);
    section.Text(
        &EvaluationConfig::task,
        {.name = "task", .help = "the task whose held-out problems it takes", .required = true},
        kName);
    section.Int(&EvaluationConfig::num_prompts,
                {.name = "num_prompts", .help = "problems, the same every time", .unit = "prompts"},
                {.min = 1});
    section.Int(&EvaluationConfig::num_samples,
                {.name = "num_samples", .help = "sampled answers to each", .unit = "samples"},
                {.min = 1, .max = 4096});
    section.Flag(&EvaluationConfig::greedy,
                 {.name = "greedy", .help = "one more answer to each, decoded greedily"});
    section.Int(&EvaluationConfig::every_steps,
                {.name = "every_steps",
                 .help = "measures whenever the stage's step is a multiple; 0: not while running",
                 .unit = "steps"},
                {.min = 0});
    section.Choice(&EvaluationConfig::at,
                   {.name = "at", .help = "stage_end: measures also after each stage"},
                   {{"never", EvaluateAt::kNever}, {"stage_end", EvaluateAt::kStageEnd}});
    section.Real(&EvaluationConfig::temperature,
                 {.name = "temperature", .help = "of the sampled answers"},
                 {.min = 0, .max = 100, .min_open = true});
    section.Int(
        &EvaluationConfig::max_new_tokens,
        {.name = "max_new_tokens", .help = "most sampled tokens of an answer", .unit = "tokens"},
        {.min = 1, .max = kMaxTokens});
    section.NameList(
        &EvaluationConfig::stages,
        {.name = "stages",
         .help = "the stages that it belongs to; none given: all at their ends, and while "
                 "running those that sample"});
    section.NamedList(&EvaluationConfig::rewards,
                      {.name = "rewards",
                       .help = "what judges the answers; by default the type that decides the "
                               "task: exact_answer where its problems have one right answer, "
                               "task_verifier where they have many",
                       .default_text = "[{name: answer, type: TYPE, weight: 1}]"},
                      1, RewardSection());
    return section;
  }();
  return kSection;
}

}  // namespace ponder
