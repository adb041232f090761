// Joins the trainer's state with the checkpoint protocol: who writes what, when a save is deferred,
// and where a run goes on from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/run_state.h"
#include "trainer/comm/communicator.h"
#include "trainer/experience/experience.h"
#include "trainer/learner.h"

namespace ponder {

// Called from the main thread of every rank, alike. A save that fails leaves the checkpoints before
// it intact and is tried again at the next interval; the third failure in a row throws Error(kIo).
class Saver {
 public:
  // Everything is borrowed.
  Saver(Communicator& comm, FileSystem& files, const ExperimentConfig& config, uint32_t attempt,
        const Log& log);

  // Saves the state after a step: policy and optimizer now; state and stored groups when the groups
  // of the next `older_steps` steps are in, because those were leased under versions that the
  // checkpoint no longer has (0: at once). `progress` counts on rank 0 only. A save that is still
  // open is given up. A checkpoint of the same step is replaced when this state is further, and
  // stays otherwise. The best checkpoint that `state` names is never removed; until it is saved,
  // the one before it is not.
  void Save(const RunState& state, Learner& learner, const StageProgress& progress,
            int64_t older_steps);
  // The groups of a step were taken; completes an open save when they are the last it waits for.
  void OnGroupsTaken(int64_t step, const std::vector<TrajectoryGroup>& groups);
  // A save is open whose policy is the best.
  bool is_saving_best() const {
    return open_ && open_->state.best && open_->state.best->step == open_->state.run_step;
  }

  // Pins the state at the beginning of a stage.
  void SaveStageStart(const std::string& stage, const RunState& state, Learner& learner);

  // Finds the newest state that verifies, among checkpoints and stage starts. Nothing when the run
  // is new. What was passed over is logged. Throws CheckpointError(kBadData) when checkpoints exist
  // and none verifies.
  std::optional<RunState> Find();
  // The parts of what Find found: config.json of the policy, its weights, and the optimizer.
  std::string LoadPolicyConfig();
  void LoadWeights(Learner& learner);
  void LoadOptimizer(Learner& learner);
  // The experience's part, for step `stage_step` of the stage; empty for step 0. Rank 0 only.
  StageProgress LoadProgress(const RunState& state);

 private:
  // A save whose last groups are still out.
  struct OpenSave {
    RunState state;
    int64_t last_step = 0;  // of the stage, whose groups complete it
    std::vector<TrajectoryGroup> stored;
  };

  bool is_root() const { return comm_.rank() == 0; }
  std::string CheckpointRoot() const { return config_.RunDirectory() + "/checkpoints"; }
  std::string StageParent(const std::string& stage) const {
    return config_.RunDirectory() + "/stages/" + stage;
  }
  // Every rank writes its optimizer shard into `directory`; rank 0 gets the records. Empty text or
  // an error text of the first rank that failed.
  std::string WriteShards(const std::string& directory, Learner& learner,
                          std::vector<FileRecord>* records);
  void AddPolicy(Learner& learner);
  void Commit(const OpenSave& save);
  // The best checkpoint that exists.
  std::optional<int64_t> PinnedStep(const RunState& state);
  // Rank 0: counts a failed save and gives up after the third in a row.
  void Failed(const std::string& why);
  // Of the checkpoint of `run_step`, if there is one that verifies; rank 0 only.
  std::optional<RunState> SavedState(int64_t run_step) const;
  Manifest ManifestOf(const RunState& state) const;

  Communicator& comm_;
  FileSystem& files_;
  const ExperimentConfig& config_;
  const uint32_t attempt_;
  const Log& log_;
  const std::string unique_;
  std::unique_ptr<CheckpointWriter> writer_;  // rank 0 only, made at the first save
  std::optional<OpenSave> open_;
  int failures_ = 0;
  std::optional<int64_t> pinned_;  // of the last save
  std::string loaded_from_;        // folder that Find chose; empty: none
};

}  // namespace ponder
