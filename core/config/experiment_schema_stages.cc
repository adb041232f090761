// Stages: what is learned, and how.
#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

const TextRule kName{};

TextRule OneOf(std::vector<std::string> choices) {
  return {.form = TextRule::Form::kChoice, .choices = std::move(choices)};
}

const Section& OptimizerSection() {
  static const Section kSection = [] {
    Section section;
    section.Real(&OptimizerConfig::learning_rate,
                 {.name = "learning_rate", .help = "AdamW's step size after warm-up"},
                 {.min = 0, .max = 10, .min_open = true});
    section.RealList(&OptimizerConfig::betas,
                     {.name = "betas", .help = "decay of the first and the second moment"},
                     {.min = 0, .max = 1, .max_open = true});
    section.Real(&OptimizerConfig::epsilon,
                 {.name = "epsilon", .help = "added to the root of the second moment"},
                 {.min = 0, .max = 1, .min_open = true});
    section.Real(&OptimizerConfig::weight_decay,
                 {.name = "weight_decay", .help = "decoupled, times the learning rate"},
                 {.min = 0, .max = 10});
    section.Real(&OptimizerConfig::max_grad_norm,
                 {.name = "max_grad_norm",
                  .help = "a gradient with a larger L2 norm is scaled down to it; 0: never"},
                 {.min = 0, .max = 1e9});
    section.Foreign("eps", "PyTorch's eps is 'epsilon' here");
    return section;
  }();
  return kSection;
}

const Section& ScheduleSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&ScheduleConfig::name,
                 {.name = "name", .help = "how the learning rate falls after warm-up"},
                 OneOf({"constant", "linear", "cosine"}));
    section.Int(
        &ScheduleConfig::warmup_steps,
        {.name = "warmup_steps", .help = "rises linearly from 0 for so long", .unit = "steps"},
        {.min = 0});
    section.Int(&ScheduleConfig::decay_steps,
                {.name = "decay_steps",
                 .help = "the step of the stage at which it has fallen; constant takes none",
                 .unit = "steps"},
                {.min = 0});
    section.Real(&ScheduleConfig::final_ratio,
                 {.name = "final_ratio", .help = "of the learning rate, at decay_steps and after"},
                 {.min = 0, .max = 1});
    return section;
  }();
  return kSection;
}

const Section& DataSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(
        &DataConfig::task,
        {.name = "task", .help = "the task whose problems are demonstrated", .required = true},
        kName);
    section.Text(&DataConfig::demonstrator,
                 {.name = "demonstrator",
                  .help = "who writes the solutions; each task has its own",
                  .required = true},
                 kName);
    section.Int(&DataConfig::num_demonstrations,
                {.name = "num_demonstrations",
                 .help = "a fixed set of so many, in a new order every epoch; none given: new "
                         "demonstrations without end",
                 .unit = "demonstrations",
                 .omit_default = true,
                 .default_text = "0"},
                {.min = 1});
    section.Int(&DataConfig::num_epochs,
                {.name = "num_epochs",
                 .help = "passes over num_demonstrations, instead of the stage's num_steps; "
                         "raising it extends a run",
                 .unit = "epochs",
                 .key_class = KeyClass::kFree,
                 .omit_default = true,
                 .default_text = "0"},
                {.min = 1});
    return section;
  }();
  return kSection;
}

const Section& ValidationSection() {
  static const Section kSection = [] {
    Section section;
    section.Int(&ValidationConfig::every_steps,
                {.name = "every_steps",
                 .help = "measures val/loss whenever the stage's step is a multiple; 0: never",
                 .unit = "steps"},
                {.min = 0});
    section.Int(&ValidationConfig::num_demonstrations,
                {.name = "num_demonstrations",
                 .help = "demonstrations of held-out problems, the same every time",
                 .unit = "demonstrations"},
                {.min = 1});
    return section;
  }();
  return kSection;
}

const Section& ClipSection() {
  static const Section kSection = [] {
    Section section;
    section.Real(&ClipConfig::low,
                 {.name = "low", .help = "the ratio of probabilities is clipped below 1 - low"},
                 {.min = 0, .max = 1});
    section.Real(&ClipConfig::high, {.name = "high", .help = "and above 1 + high"},
                 {.min = 0, .max = 1e6});
    return section;
  }();
  return kSection;
}

const Section& RolloutSection() {
  static const Section kSection = [] {
    Section section;
    section.Real(
        &RolloutConfig::temperature,
        {.name = "temperature", .help = "divides the logits, in sampling and in the loss alike"},
        {.min = 0, .max = 100, .min_open = true});
    section.Int(
        &RolloutConfig::max_new_tokens,
        {.name = "max_new_tokens", .help = "most sampled tokens of an answer", .unit = "tokens"},
        {.min = 1, .max = kMaxTokens});
    section.Int(&RolloutConfig::max_total_tokens,
                {.name = "max_total_tokens",
                 .help = "most tokens of prompt and answer; 0: the model's context",
                 .unit = "tokens"},
                {.min = 0, .max = kMaxTokens});
    return section;
  }();
  return kSection;
}

// The keys that samples are taken and compared by.
void AddSamplingKeys(Section* section) {
  section->Text(&StageConfig::task,
                {.name = "task", .help = "the task whose problems are sampled", .required = true},
                kName);
  section->Int(&StageConfig::prompts_per_step,
               {.name = "prompts_per_step",
                .help = "prompts of one step, over all ranks",
                .unit = "prompts"},
               {.min = 1});
  section->Int(&StageConfig::samples_per_prompt,
               {.name = "samples_per_prompt",
                .help = "answers to each, compared with one another",
                .unit = "samples"},
               {.min = 1, .max = 4096});
  section->Int(&StageConfig::max_staleness,
               {.name = "max_staleness",
                .help = "versions that sampling runs ahead of training; 0: strictly in turn",
                .unit = "versions"},
               {.min = 0, .max = 64});
  section->Int(&StageConfig::num_epochs,
               {.name = "num_epochs", .help = "passes over a step's answers", .unit = "passes"},
               {.min = 1, .max = 1000});
  section->Int(
      &StageConfig::num_minibatches,
      {.name = "num_minibatches", .help = "optimizer updates of a pass", .unit = "updates"},
      {.min = 1});
  section->Nested(&StageConfig::clip, {.name = "clip", .help = "the trust region"}, ClipSection());
  section->Text(&StageConfig::advantage_std,
                {.name = "advantage_std",
                 .help = "what the centred rewards of a group are divided by the deviation of"},
                OneOf({"group", "batch", "none"}));
  section->Text(&StageConfig::aggregation,
                {.name = "aggregation", .help = "how the losses of tokens become one number"},
                OneOf({"token_mean", "sequence_mean_token_mean", "sequence_mean_token_sum",
                       "constant_length"}));
  section->Nested(&StageConfig::rollout, {.name = "rollout", .help = "how answers are sampled"},
                  RolloutSection());
  section->NamedList(&StageConfig::rewards,
                     {.name = "rewards", .help = "what judges the answers", .required = true}, 1,
                     RewardSection());
}

void AddKeysOfSections(Section* section) {
  section->Foreign("learning_rate", "the stage's is optimizer.learning_rate");
  section->Foreign("max_new_tokens", "the stage's is rollout.max_new_tokens");
  section->Foreign("temperature", "the stage's is rollout.temperature");
}

}  // namespace

const Section& StageSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(
        &StageConfig::name,
        {.name = "name", .help = "the stage's name in files and metrics", .required = true}, kName);
    section.Text(&StageConfig::algorithm,
                 {.name = "algorithm", .help = "what learns", .required = true},
                 OneOf(NamesOf(AlgorithmKinds())));
    section.Text(&StageConfig::model, {.name = "model", .help = "the model that is trained"},
                 kName);
    section.Int(&StageConfig::num_steps,
                {.name = "num_steps",
                 .help = "length of the stage; raising it extends a run; needed where no "
                         "data.num_epochs is given",
                 .unit = "steps",
                 .key_class = KeyClass::kFree,
                 .omit_default = true,
                 .default_text = "0"},
                {.min = 1});
    section.Nested(&StageConfig::optimizer, {.name = "optimizer", .help = "AdamW"},
                   OptimizerSection());
    section.Nested(&StageConfig::schedule, {.name = "schedule", .help = "of the learning rate"},
                   ScheduleSection());
    section.Nested(
        &StageConfig::data,
        {.name = "data", .help = "the demonstrations that are imitated", .required = true},
        DataSection());
    section.Int(&StageConfig::batch_size,
                {.name = "batch_size",
                 .help = "demonstrations of one step, over all ranks",
                 .unit = "demonstrations"},
                {.min = 1});
    section.Nested(&StageConfig::validation,
                   {.name = "validation",
                    .help = "the loss on held-out demonstrations",
                    .key_class = KeyClass::kSoft},
                   ValidationSection());
    section.NameList(&StageConfig::sets,
                     {.name = "sets",
                      .help = "the evaluations that are measured; none given: all",
                      .key_class = KeyClass::kSoft});
    AddSamplingKeys(&section);
    section.SelectBy("algorithm", AlgorithmKinds());
    AddKeysOfSections(&section);
    return section;
  }();
  return kSection;
}

}  // namespace ponder
