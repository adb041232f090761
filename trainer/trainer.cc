#include "trainer/trainer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/philox.h"
#include "core/base/streams.h"
#include "trainer/best_checkpoint.h"
#include "trainer/checkpoint/resume.h"
#include "trainer/group_exchange.h"
#include "trainer/initial_model.h"
#include "trainer/outcomes.h"
#include "trainer/samples.h"
#include "trainer/stage_run.h"

namespace ponder {
namespace {

constexpr const char* kKernelPath = "aten_f32";
// How long a stop waits for groups that a deferred save needs.
constexpr Duration kStopGrace = std::chrono::seconds(10);

bool SameVocabulary(const Tokenizer& a, const Tokenizer& b) {
  if (a.vocab_size() != b.vocab_size()) return false;
  for (uint32_t id = 0; id < a.vocab_size(); ++id) {
    if (a.TokenText(id) != b.TokenText(id)) return false;
  }
  return true;
}

// All tasks of an experiment share one vocabulary, because one policy speaks it.
uint32_t SharedVocabulary(const std::map<std::string, std::unique_ptr<Task>>& tasks) {
  const auto& [first_name, first] = *tasks.begin();
  for (const auto& [name, task] : tasks) {
    if (!SameVocabulary(task->tokenizer(), first->tokenizer())) {
      throw ConfigError("tasks '" + first_name + "' and '" + name +
                        "' have different vocabularies, of " +
                        std::to_string(first->tokenizer().vocab_size()) + " and " +
                        std::to_string(task->tokenizer().vocab_size()) +
                        " tokens; expected one vocabulary (give them the same type and modulus)");
    }
  }
  return first->tokenizer().vocab_size();
}

std::vector<RewardTerm> TermsOf(const std::vector<RewardConfig>& rewards) {
  std::vector<RewardTerm> terms;
  for (const RewardConfig& reward : rewards) terms.push_back({reward.name, reward.weight});
  return terms;
}

RewardSets RewardSetsOf(const ExperimentConfig& config) {
  RewardSets sets;
  for (const StageConfig& stage : config.stages) {
    sets["stage/" + stage.name] = TermsOf(stage.rewards);
  }
  for (const EvaluationConfig& evaluation : config.evaluation) {
    sets["evaluation/" + evaluation.name] = TermsOf(evaluation.rewards);
  }
  return sets;
}

SamplingParams SamplingOf(const StageConfig& stage) {
  return {.num_samples = static_cast<uint32_t>(stage.samples_per_prompt),
          .add_greedy = false,
          .temperature = static_cast<float>(stage.rollout.temperature),
          .max_new_tokens = static_cast<uint32_t>(stage.rollout.max_new_tokens),
          .max_total_tokens = static_cast<uint32_t>(stage.rollout.max_total_tokens)};
}

// Where others reach a server that listens on `listen`: with the bound port, and with this
// machine's name when `listen` stands for all its addresses.
std::string CallableAddress(const std::string& listen, int port) {
  std::string host = listen.substr(0, listen.rfind(':'));
  std::array<char, 256> name{};
  if ((host == "0.0.0.0" || host == "[::]") && gethostname(name.data(), name.size() - 1) == 0) {
    host = name.data();
  }
  return host + ":" + std::to_string(port);
}

// A stage that is longer than its schedule learns nothing at its end, which is easily overlooked
// when a run is extended.
void WarnOfEndedSchedule(const StageConfig& stage, const Log& log) {
  const ScheduleConfig& schedule = stage.schedule;
  const int64_t num_updates = stage.num_steps * stage.num_epochs * stage.num_minibatches;
  const bool never_ends = schedule.name == "constant" || schedule.final_ratio > 0;
  if (never_ends || num_updates <= schedule.decay_steps) return;
  log.Warning("stage '" + stage.name + "': the learning rate is 0 from update " +
              std::to_string(schedule.decay_steps) + " of " + std::to_string(num_updates) +
              " on (schedule.decay_steps is reached, final_ratio is 0): nothing is learned after "
              "it; another schedule is another run, see docs/runs.md");
}

}  // namespace

bool Trainer::StageRun::EvaluatesWhileRunning(const EvaluationConfig& evaluation) const {
  if (evaluation.stages.empty()) return algorithm->samples();
  return std::count(evaluation.stages.begin(), evaluation.stages.end(), config.name) > 0;
}

bool Trainer::StageRun::EvaluatesAtEnd(const EvaluationConfig& evaluation) const {
  if (!has_steps()) {
    return config.sets.empty() ||
           std::count(config.sets.begin(), config.sets.end(), evaluation.name) > 0;
  }
  if (evaluation.at != EvaluateAt::kStageEnd) return false;
  return evaluation.stages.empty() ||
         std::count(evaluation.stages.begin(), evaluation.stages.end(), config.name) > 0;
}

Trainer::Trainer(const ExperimentConfig& config, const TrainerOptions& options,
                 const RunIdentity& identity, Communicator& comm, FileSystem& files, Clock& clock,
                 const Log& log, const SignalWatcher& signals)
    : config_(config),
      options_(options),
      identity_(identity),
      comm_(comm),
      files_(files),
      clock_(clock),
      log_(log),
      signals_(signals),
      saver_(comm, files, config, identity.attempt, log),
      found_(saver_.Find()) {
  for (const TaskConfig& task : config_.tasks) tasks_.emplace(task.name, MakeTask(task));
  const uint32_t vocab_size = SharedVocabulary(tasks_);
  decoder_config_ = found_ ? DecoderConfig::FromJson(saver_.LoadPolicyConfig())
                           : InitialDecoder(files_, config_, vocab_size);
  learner_ =
      std::make_unique<Learner>(decoder_config_, comm_, clock_, config_.trainer.micro_batch_tokens);
  if (!is_root()) return;
  Rank0Options server;
  server.listen = options_.listen;
  server.run_id = identity_.run_id;
  server.attempt = identity_.attempt;
  server.experiment_yaml = ResolvedYaml(config_);
  server.reward_sets = RewardSetsOf(config_);
  server.kernel_path = kKernelPath;
  server.vocab_size = vocab_size;
  server.experience.lease_time =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(config_.trainer.lease_s));
  server.experience.max_tries = static_cast<uint32_t>(config_.trainer.max_tries);
  server_ = std::make_unique<Rank0Server>(
      server, [this](uint64_t ordinal) { return MakePromptOf(ordinal); }, clock_, log_);
  address_ = CallableAddress(options_.listen, server_->port());
  log_.Info("rank 0 listens on " + address_ + ", run " + identity_.run_id + ", attempt " +
            std::to_string(identity_.attempt));
  progress_ = std::make_unique<Progress>(ProgressStyleFromEnvironment(), clock_);
}

Trainer::~Trainer() = default;

bool Trainer::Run() {
  if (found_) {
    state_ = *found_;
    saver_.LoadWeights(*learner_);
  } else {
    LoadInitialWeights(files_, config_, &learner_->parameters());
  }
  if (is_root()) {
    metrics_ = std::make_unique<MetricsWriter>(files_, config_.RunDirectory() + "/metrics.jsonl",
                                               state_.metrics_bytes);
    timing_ = std::make_unique<MetricsWriter>(files_, config_.RunDirectory() + "/timing.jsonl",
                                              state_.timing_bytes);
    observers_ = std::make_unique<Observers>(files_, config_, state_.run_step + 1, log_);
  }
  while (EnterOpenStage(config_, &state_)) {
    if (!RunStage(state_.stage_index)) return false;
  }
  if (is_root()) server_->EndRun();
  return true;
}

bool Trainer::RunStage(size_t index) {
  const StageConfig& config = config_.stages[index];
  // A stage without steps has no task of its own, and the one that it is given makes nothing.
  const std::string& task_name = !config.task.empty()        ? config.task
                                 : !config.data.task.empty() ? config.data.task
                                                             : config_.evaluation.front().task;
  StageRun stage{.config = config,
                 .index = index,
                 .stream = static_cast<uint16_t>(1 + index),
                 .task = TaskOf(task_name),
                 .schedule = Schedule(config.schedule, config.optimizer.learning_rate),
                 .algorithm = nullptr};
  stage.algorithm = MakeAlgorithm({.experiment = config_,
                                   .stage = config,
                                   .task = stage.task,
                                   .task_name = task_name,
                                   .stream = stage.stream});
  if (stage.has_steps()) {
    learner_->ResetOptimizer(config.optimizer);
  } else {
    learner_->DropOptimizer();
  }
  if (state_.stage_step > 0) {
    saver_.LoadOptimizer(*learner_);
  } else {
    // Written again after a resume from it: then it must come out the same.
    MarkMetrics();
    saver_.SaveStageStart(config.name, state_, *learner_);
  }
  if (is_root()) {
    WarnOfEndedSchedule(config, log_);
    progress_->BeginStage(config.name, static_cast<int64_t>(index) + 1,
                          static_cast<int64_t>(config_.stages.size()), state_.stage_step,
                          config.num_steps);
  }
  if (stage.algorithm->samples()) {
    Publish();
    stage.first_version = state_.version - static_cast<uint64_t>(state_.stage_step);
    if (is_root()) {
      server_->BeginStage({.name = config.name,
                           .stream = stage.stream,
                           .model = config.model,
                           .reward_set = "stage/" + config.name,
                           .sampling = SamplingOf(config),
                           .num_steps = config.num_steps,
                           .slots_per_step = config.prompts_per_step,
                           .max_staleness = config.max_staleness,
                           .first_version = stage.first_version},
                          saver_.LoadProgress(state_));
    }
  }
  bool going_on = true;
  if (state_.evaluations_due) {
    going_on = EvaluateAfterStep(stage);
    if (going_on) SaveAfterStep(stage);
  }
  while (going_on && state_.stage_step < config.num_steps) going_on = Step(stage);
  if (going_on) {
    if (stage.algorithm->samples() && is_root()) server_->EndStage();
    going_on = EvaluateAtStageEnd(stage);
  }
  if (!going_on) {
    SaveBeforeStop(stage);
    return false;
  }
  state_.stage_complete = true;
  if (index + 1 == config_.stages.size() || IsBestNow()) Save(stage);
  return true;
}

void Trainer::Publish() {
  if (state_.weights_changed) {
    ++state_.version;
    state_.weights_changed = false;
    published_in_this_attempt_ = false;
  }
  if (published_in_this_attempt_) return;
  published_in_this_attempt_ = true;
  PONDER_FAILPOINT("trainer.publish");
  if (!is_root()) return;
  auto snapshot = std::make_shared<WeightSnapshot>();
  snapshot->bytes = learner_->parameters().ToBytes();
  snapshot->layout = learner_->parameters().layout();
  snapshot->config_json = decoder_config_.ToJson();
  snapshot->kernel_path = kKernelPath;
  snapshot->identity = {.run_id = identity_.run_id,
                        .attempt = identity_.attempt,
                        .model = config_.models.front().name,
                        .version = state_.version,
                        .digest = Sha256Hex({snapshot->bytes.data(), snapshot->bytes.size()})};
  published_ = snapshot->identity;
  server_->Publish(std::move(snapshot));
}

Prompt Trainer::MakePromptOf(uint64_t packed_ordinal) const {
  const Ordinal ordinal = Ordinal::Unpack(packed_ordinal);
  const bool evaluates = ordinal.stream >= kEvaluationStreams;
  const std::string& task_name = evaluates
                                     ? config_.evaluation[ordinal.stream - kEvaluationStreams].task
                                     : config_.stages[ordinal.stream - 1u].task;
  // Stages draw from disjoint ranges of a task's problems, evaluation sets from its held-out split.
  const uint64_t index = evaluates ? ordinal.index : packed_ordinal;
  const Split split = evaluates ? Split::kEvaluate : Split::kTrain;
  const Task& task = TaskOf(task_name);
  Prompt prompt =
      MakePrompt(task, task_name, task.MakeProblem(split, config_.run.seed, index), packed_ordinal);
  if (prompt.token_ids.size() >= static_cast<size_t>(decoder_config_.max_positions)) {
    throw Error(Condition::kConfig,
                "making problem " + std::to_string(index) + " of task '" + task_name +
                    "': expected a prompt below the model's context of " +
                    std::to_string(decoder_config_.max_positions) + " tokens, got " +
                    std::to_string(prompt.token_ids.size()) + " (make the problems shorter)");
  }
  return prompt;
}

bool Trainer::EvaluateAtStageEnd(const StageRun& stage) {
  // A stop while these run is saved as the state before them, so that the next start repeats them
  // all.
  MarkMetrics();
  const RunState before = state_;
  for (const EvaluationConfig& evaluation : config_.evaluation) {
    if (!stage.EvaluatesAtEnd(evaluation) || Evaluate(stage, evaluation, "stage_end")) continue;
    state_ = before;
    return false;
  }
  return true;
}

bool Trainer::Evaluate(const StageRun& stage, const EvaluationConfig& evaluation, const char* at) {
  const TimePoint begin = clock_.Now();
  bool finished = true;
  std::optional<double> best;
  Publish();
  PONDER_FAILPOINT("trainer.evaluate");
  if (is_root()) {
    const auto set = static_cast<uint16_t>(&evaluation - config_.evaluation.data());
    server_->BeginEvaluation(
        {.name = evaluation.name,
         .stream = static_cast<uint16_t>(kEvaluationStreams + set),
         .stage = stage.config.name,
         .reward_set = "evaluation/" + evaluation.name,
         .sampling = {.num_samples = static_cast<uint32_t>(evaluation.num_samples),
                      .add_greedy = evaluation.greedy,
                      .temperature = static_cast<float>(evaluation.temperature),
                      .max_new_tokens = static_cast<uint32_t>(evaluation.max_new_tokens)},
         .num_prompts = static_cast<uint64_t>(evaluation.num_prompts),
         .model = published_});
    const auto groups =
        WaitForGroups([&](Duration limit) { return server_->WaitForEvaluation(limit); });
    finished = groups.has_value();
    if (groups) {
      const std::map<std::string, double> metrics =
          WriteEvaluation(stage, evaluation, at, *groups, SecondsBetween(begin, clock_.Now()));
      best = BetterValue(config_.checkpoint.best, evaluation.name, metrics, state_.best);
    }
  }
  if (!Agree(finished)) return false;
  // Better than ever, and by which value: alike on all ranks.
  std::array<double, 2> better{best ? 1.0 : 0.0, best.value_or(0.0)};
  comm_.PatientBroadcast({better.data(), better.size(), DType::kF64, nullptr}, /*root=*/0);
  if (better[0] != 0) {
    state_.best = {MeasureOf(config_.checkpoint.best), better[1], state_.run_step};
  }
  return true;
}

std::map<std::string, double> Trainer::WriteEvaluation(const StageRun& stage,
                                                       const EvaluationConfig& evaluation,
                                                       const char* at,
                                                       const std::vector<TrajectoryGroup>& groups,
                                                       double seconds) {
  const EvaluationSummary summary = Summarize(groups);
  const std::vector<PromptOutcome> outcomes =
      OutcomesOf(groups, TaskOf(evaluation.task).tokenizer());
  std::map<std::string, double> metrics = EvaluationMetrics(summary);
  metrics.merge(SubsetMetrics(outcomes));
  MetricRecord record(MetricFile::kMetrics);
  record.SetLabel("kind", "evaluation");
  record.SetLabel("at", at);
  record.SetLabel("set", evaluation.name);
  record.SetLabel("stage", stage.config.name);
  record.SetLabel("step", static_cast<uint64_t>(state_.run_step));
  record.SetLabel("version", state_.version);
  for (const auto& [name, value] : metrics) record.Set(name, value);
  metrics_->Write(record);
  observers_->Show(state_.run_step, stage.config.name, evaluation.name, record);
  WriteSamples(files_, config_.RunDirectory(),
               {.stage = stage.config.name,
                .set = evaluation.name,
                .step = static_cast<uint64_t>(state_.run_step),
                .stage_step = state_.stage_step},
               groups, TaskOf(evaluation.task).tokenizer());
  WriteOutcomes(files_, config_.RunDirectory(), evaluation.name, stage.config.name, outcomes);
  MetricRecord timing(MetricFile::kTiming);
  timing.SetLabel("kind", "evaluation");
  timing.SetLabel("set", evaluation.name);
  timing.SetLabel("stage", stage.config.name);
  timing.SetLabel("step", static_cast<uint64_t>(state_.run_step));
  timing.Set("timing/evaluate_s", seconds);
  timing_->Write(timing);
  observers_->Show(state_.run_step, stage.config.name, evaluation.name, timing);
  progress_->Evaluation(evaluation.name, summary, seconds);
  return metrics;
}

void Trainer::MarkMetrics() {
  if (!is_root()) return;
  state_.metrics_bytes = metrics_->Sync();
  state_.metrics_sha256 =
      Sha256OfPrefix(files_, config_.RunDirectory() + "/metrics.jsonl", state_.metrics_bytes);
  state_.timing_bytes = timing_->Sync();
}

void Trainer::Save(const StageRun& stage) {
  const TimePoint begin = clock_.Now();
  PONDER_FAILPOINT("trainer.checkpoint");
  MarkMetrics();
  StageProgress progress;
  int64_t older_steps = 0;
  if (stage.algorithm->samples() && state_.stage_step > 0) {
    bool complete = false;
    if (is_root()) progress = server_->Progress(state_.version, &complete);
    older_steps = std::min(stage.config.max_staleness, stage.config.num_steps - state_.stage_step);
  }
  saver_.Save(state_, *learner_, progress, older_steps);
  if (is_root()) {
    MetricRecord timing(MetricFile::kTiming);
    timing.SetLabel("kind", "checkpoint");
    timing.SetLabel("step", static_cast<uint64_t>(state_.run_step));
    timing.Set("timing/checkpoint_s", SecondsBetween(begin, clock_.Now()));
    timing_->Write(timing);
  }
}

void Trainer::SaveBeforeStop(const StageRun& stage) {
  // A stage that has not begun is saved by its pinned start.
  bool saved = true;
  if (state_.stage_step > 0) {
    std::optional<StageProgress> progress = StageProgress{};
    if (is_root() && stage.algorithm->samples()) {
      progress = server_->WaitForProgress(state_.version, kStopGrace);
    }
    // One of the best policy that is open already must not be given up for a later one.
    saved = Agree(progress.has_value()) && !saver_.is_saving_best();
    if (saved) saver_.Save(state_, *learner_, *progress, /*older_steps=*/0);
  }
  if (!is_root()) return;
  if (saved) {
    log_.Info("stopped as asked; the state is saved, start again to go on");
  } else {
    log_.Warning(
        "stopped as asked, without a new checkpoint, because groups of an older version were still "
        "out; start again to go on from the last one");
  }
}

}  // namespace ponder
