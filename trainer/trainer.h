// A training run: stages, steps, evaluations, checkpoints. The same object runs on every rank;
// control flow is a function of the experiment and of what rank 0 broadcasts, so ranks never
// disagree.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/signals.h"
#include "core/config/experiment.h"
#include "tasks/task.h"
#include "trainer/algorithms/algorithm.h"
#include "trainer/comm/communicator.h"
#include "trainer/learner.h"
#include "trainer/observe/observers.h"
#include "trainer/optim/schedule.h"
#include "trainer/progress.h"
#include "trainer/run_folder.h"
#include "trainer/saver.h"
#include "trainer/services/rank0_server.h"

namespace ponder {

struct TrainerOptions {
  std::string config_path;
  std::string listen = "127.0.0.1:0";  // rank 0 only
};

// Borrows everything it is given. Called from the main thread, which alone touches LibTorch and
// MPI.
class Trainer {
 public:
  Trainer(const ExperimentConfig& config, const TrainerOptions& options,
          const RunIdentity& identity, Communicator& comm, FileSystem& files, Clock& clock,
          const Log& log, const SignalWatcher& signals);
  ~Trainer();

  // Goes on from the newest saved state to the end of the last stage. Returns true when the run is
  // finished, false when it was asked to stop (the state is saved then). Throws on anything else.
  bool Run();

 private:
  // What belongs to the stage that runs now.
  struct StageRun;

  bool is_root() const { return comm_.rank() == 0; }
  bool RunStage(size_t index);
  // One step: take groups, annotate, build examples, update, publish, release, report, and perhaps
  // evaluate and save. False when asked to stop instead; then state_ is what is to be saved.
  bool Step(StageRun& stage);
  // The evaluations that are due after the step just made, if any. False when asked to stop; then
  // state_ is the one before them.
  bool EvaluateAfterStep(const StageRun& stage);
  // The groups of a step on every rank; nothing when asked to stop. Empty groups for an algorithm
  // that does not sample.
  std::optional<StepInput> NextInput(StageRun& stage);
  // Collective: what rank 0 says of going on. Rank 0 calls it with its answer, the others wait for
  // it.
  bool Agree(bool go_on);
  // Rank 0 waits for `poll` to yield, logging what it waits for and letting the others know that it
  // lives. Nothing when asked to stop. Throws Error(kDeadline) when nothing at all arrives for the
  // collective timeout.
  std::optional<std::vector<TrajectoryGroup>> WaitForGroups(
      const std::function<std::optional<std::vector<TrajectoryGroup>>(Duration)>& poll);
  void CheckFinite(const UpdateReport& report);
  // Makes the current weights available under the next version, or, when they did not change since
  // the last version, under that one again (after a restart).
  void Publish();
  void WriteStep(const StageRun& stage, const StepInput& input, const UpdateReport& report,
                 std::map<std::string, double> metrics,
                 const std::map<std::string, double>& seconds);
  // False when asked to stop before the groups were in: then nothing is written.
  bool Evaluate(const StageRun& stage, const EvaluationConfig& evaluation, const char* at);
  // The metrics that went into metrics.jsonl.
  std::map<std::string, double> WriteEvaluation(const StageRun& stage,
                                                const EvaluationConfig& evaluation, const char* at,
                                                const std::vector<TrajectoryGroup>& groups,
                                                double seconds);
  bool EvaluateAtStageEnd(const StageRun& stage);
  // The state's best checkpoint is the one of this step.
  bool IsBestNow() const { return state_.best && state_.best->step == state_.run_step; }
  // Adds val/loss when the stage validates after this step; false when it does not.
  bool Validate(const StageRun& stage, std::map<std::string, double>* metrics);
  // Saves the state after the step that just ended (see Saver for what is deferred).
  void Save(const StageRun& stage);
  // The same, if a save is due or the policy was never better.
  void SaveAfterStep(const StageRun& stage);
  // Saves state_ as it is because of a stop: waits, within limits, for the groups that belong to
  // it, and says whether it could be saved.
  void SaveBeforeStop(const StageRun& stage);
  // Records in the state how long the metrics files are; rank 0 only.
  void MarkMetrics();
  Prompt MakePromptOf(uint64_t packed_ordinal) const;
  const Task& TaskOf(const std::string& name) const { return *tasks_.at(name); }

  const ExperimentConfig& config_;
  const TrainerOptions options_;
  const RunIdentity identity_;
  Communicator& comm_;
  FileSystem& files_;
  Clock& clock_;
  const Log& log_;
  const SignalWatcher& signals_;

  std::map<std::string, std::unique_ptr<Task>> tasks_;
  Saver saver_;
  const std::optional<RunState> found_;  // what the run goes on from
  DecoderConfig decoder_config_;
  std::unique_ptr<Learner> learner_;
  RunState state_;
  bool published_in_this_attempt_ = false;
  // Rank 0 only; null elsewhere.
  std::unique_ptr<Rank0Server> server_;
  std::string address_;  // where others reach it
  ModelIdentity published_;
  std::unique_ptr<MetricsWriter> metrics_;
  std::unique_ptr<MetricsWriter> timing_;
  std::unique_ptr<Observers> observers_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace ponder
