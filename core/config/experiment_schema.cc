// The whole file, and its sections that belong to the run rather than to what is learned.
#include "core/config/experiment_schema.h"

#include <string>

namespace ponder {
namespace {

const TextRule kName{};
const TextRule kPath{.form = TextRule::Form::kPath, .choices = {}};

const Section& RunSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&RunConfig::name,
                 {.name = "name",
                  .help = "names the run and its folder; never used again for another experiment",
                  .key_class = KeyClass::kFree,
                  .required = true},
                 kName);
    section.Unsigned(&RunConfig::seed,
                     {.name = "seed", .help = "the key of every random draw of the run"});
    section.Text(
        &RunConfig::dir,
        {.name = "dir", .help = "folder that holds the run's folder", .key_class = KeyClass::kFree},
        kPath);
    return section;
  }();
  return kSection;
}

const Section& ModelInitSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&ModelInit::preset,
                 {.name = "preset",
                  .help = "fresh random weights in one of the built-in shapes",
                  .omit_default = true},
                 {.form = TextRule::Form::kChoice, .choices = {"tiny", "10m", "0.5b"}});
    section.Int(&ModelInit::num_layers,
                {.name = "num_layers",
                 .help = "replaces the number of layers of the preset",
                 .unit = "layers",
                 .omit_default = true,
                 .default_text = "0"},
                {.min = 1, .max = 1000});
    section.Text(&ModelInit::run,
                 {.name = "run",
                  .help = "the policy of another run: its name below run.dir, or the path of its "
                          "folder, with a '/'; needs step or stage",
                  .omit_default = true},
                 kPath);
    section.IntOrWord(&ModelInit::step,
                      {.name = "step",
                       .help = "which checkpoint of that run, in steps of that run, or its best "
                               "(checkpoint.best)",
                       .unit = "steps",
                       .omit_default = true,
                       .default_text = "-1"},
                      {.min = 0}, "best", kBestStep);
    section.Text(&ModelInit::stage,
                 {.name = "stage",
                  .help = "or which stage of that run: the policy that it ended with",
                  .omit_default = true},
                 kName);
    section.Foreign("folder", std::string("models cannot be read from a folder; the forms are ") +
                                  kModelInitForms);
    return section;
  }();
  return kSection;
}

const Section& ModelSection() {
  static const Section kSection = [] {
    Section section;
    section.Nested(&ModelConfig::init,
                   {.name = "init",
                    .help = "where the first weights come from: preset, or run with step or stage",
                    .required = true},
                   ModelInitSection());
    return section;
  }();
  return kSection;
}

const Section& BestSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&BestConfig::evaluation,
                 {.name = "evaluation",
                  .help = "the evaluation that decides; none given: no checkpoint is the best",
                  .omit_default = true},
                 kName);
    section.Text(&BestConfig::metric,
                 {.name = "metric",
                  .help = "what it is compared by, as in metrics.jsonl",
                  .needs = "evaluation"},
                 {.form = TextRule::Form::kMetric, .choices = {}});
    section.Text(&BestConfig::mode,
                 {.name = "mode", .help = "whether more or less is better", .needs = "evaluation"},
                 {.form = TextRule::Form::kChoice, .choices = {"max", "min"}});
    return section;
  }();
  return kSection;
}

const Section& CheckpointSection() {
  static const Section kSection = [] {
    Section section;
    section.Int(&CheckpointConfig::save_steps,
                {.name = "save_steps",
                 .help = "saves whenever the run's step is a multiple; the start of each stage and "
                         "the end of the run are always saved",
                 .unit = "steps",
                 .key_class = KeyClass::kFree},
                {.min = 1});
    section.Int(&CheckpointConfig::keep,
                {.name = "keep",
                 .help = "how many of the newest checkpoints stay",
                 .unit = "checkpoints",
                 .key_class = KeyClass::kFree},
                {.min = 1});
    section.Text(
        &CheckpointConfig::resume,
        {.name = "resume",
         .help =
             "auto: go on if the folder holds a run; never: refuse then; must: refuse otherwise",
         .key_class = KeyClass::kFree},
        {.form = TextRule::Form::kChoice, .choices = {"auto", "never", "must"}});
    section.Nested(&CheckpointConfig::best,
                   {.name = "best",
                    .help = "saves whenever the policy was never better, and keeps that checkpoint "
                            "beside the newest",
                    .key_class = KeyClass::kSoft},
                   BestSection());
    return section;
  }();
  return kSection;
}

const Section& TrainerSection() {
  static const Section kSection = [] {
    constexpr double kMaxSeconds = 86400;
    const RealLimits seconds{.min = 0, .max = kMaxSeconds, .min_open = true};
    Section section;
    section.Int(&TrainerConfig::micro_batch_tokens,
                {.name = "micro_batch_tokens",
                 .help = "most tokens of one forward and backward; a longer sequence goes alone",
                 .unit = "tokens",
                 .key_class = KeyClass::kSoft},
                {.min = 1});
    section.Int(
        &TrainerConfig::max_nonfinite_steps,
        {.name = "max_nonfinite_steps",
         .help = "steps in a row that may be skipped for a non-finite loss or gradient before "
                 "the run ends as diverged",
         .unit = "steps",
         .key_class = KeyClass::kSoft},
        {.min = 0});
    section.Real(&TrainerConfig::lease_s,
                 {.name = "lease_s",
                  .help = "a lease or session that is not renewed for so long is lost",
                  .unit = "s",
                  .key_class = KeyClass::kFree},
                 seconds);
    section.Int(&TrainerConfig::max_tries,
                {.name = "max_tries",
                 .help = "how often one prompt is leased before its group is dropped",
                 .unit = "tries",
                 .key_class = KeyClass::kSoft},
                {.min = 1, .max = 1000});
    section.Real(&TrainerConfig::collective_timeout_s,
                 {.name = "collective_timeout_s",
                  .help = "deadline of one collective operation between ranks",
                  .unit = "s",
                  .key_class = KeyClass::kFree},
                 seconds);
    section.Real(&TrainerConfig::score_timeout_s,
                 {.name = "score_timeout_s",
                  .help = "deadline of one call to a reward service",
                  .unit = "s",
                  .key_class = KeyClass::kFree},
                 seconds);
    return section;
  }();
  return kSection;
}

const Section& LaunchSection() {
  static const Section kSection = [] {
    const IntLimits processes{.min = 1, .max = 1024};
    Section section;
    section.Int(&LaunchConfig::trainer_ranks,
                {.name = "trainer_ranks",
                 .help = "MPI ranks of the trainer",
                 .unit = "processes",
                 .key_class = KeyClass::kSoft},
                processes);
    section.Int(&LaunchConfig::workers,
                {.name = "workers",
                 .help = "rollout workers",
                 .unit = "processes",
                 .key_class = KeyClass::kFree},
                processes);
    section.Int(&LaunchConfig::reward_services,
                {.name = "reward_services",
                 .help = "reward services",
                 .unit = "processes",
                 .key_class = KeyClass::kFree},
                processes);
    section.Int(&LaunchConfig::max_restarts,
                {.name = "max_restarts",
                 .help = "how often the trainer is started again",
                 .unit = "restarts",
                 .key_class = KeyClass::kFree},
                {.min = 0, .max = 1'000'000});
    return section;
  }();
  return kSection;
}

const Section& MetricsSection() {
  static const Section kSection = [] {
    Section section;
    section.Flag(&MetricsConfig::tensorboard,
                 {.name = "tensorboard",
                  .help = "event files for TensorBoard in the run folder",
                  .key_class = KeyClass::kFree});
    section.Int(&MetricsConfig::prometheus_port,
                {.name = "prometheus_port",
                 .help = "rank 0 serves the newest values there, on 127.0.0.1; 0: nowhere",
                 .key_class = KeyClass::kFree},
                {.min = 0, .max = 65'535});
    return section;
  }();
  return kSection;
}

void AddKeysOfStages(Section* section) {
  section->Foreign("algorithm", "an algorithm belongs to a stage: stages[].algorithm");
  section->Foreign("data", "what is trained on belongs to a stage: stages[].data or stages[].task");
  section->Foreign("model", "models are by name: models.policy");
  section->Foreign("seed", "the seed is run.seed");
}

}  // namespace

const Section& ExperimentSection() {
  static const Section kSection = [] {
    Section section;
    section.Int(&ExperimentConfig::config_version,
                {.name = "config_version", .help = "the form of this file", .required = true},
                {.min = 1, .max = 1});
    section.Nested(&ExperimentConfig::run,
                   {.name = "run", .help = "the run as a whole", .required = true}, RunSection());
    section.NamedMap(&ExperimentConfig::tasks,
                     {.name = "tasks", .help = "what makes problems", .required = true},
                     TaskSection());
    section.NamedList(
        &ExperimentConfig::evaluation,
        {.name = "evaluation", .help = "held-out measurements", .key_class = KeyClass::kSoft}, 0,
        EvaluationSection());
    section.NamedMap(&ExperimentConfig::models,
                     {.name = "models", .help = "the models that stages name", .required = true},
                     ModelSection());
    section.NamedList(&ExperimentConfig::stages,
                      {.name = "stages", .help = "what is done, in this order", .required = true},
                      1, StageSection());
    section.Nested(&ExperimentConfig::checkpoint,
                   {.name = "checkpoint", .help = "when the run is saved"}, CheckpointSection());
    section.Nested(&ExperimentConfig::trainer,
                   {.name = "trainer", .help = "how the trainer works, not what it learns"},
                   TrainerSection());
    section.Nested(&ExperimentConfig::metrics,
                   {.name = "metrics", .help = "who may watch the run beside its own files"},
                   MetricsSection());
    section.Nested(&ExperimentConfig::launch,
                   {.name = "launch", .help = "the processes that 'ponder up' starts"},
                   LaunchSection());
    AddKeysOfStages(&section);
    return section;
  }();
  return kSection;
}

}  // namespace ponder
