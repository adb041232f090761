// Where a start of the trainer goes on from: the one decision, for the trainer that takes it and
// for whoever wants to know it before. Reads only.
#pragma once

#include <optional>
#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {

inline constexpr const char* kStateFile = "state.json";

struct ResumePoint {
  std::string directory;  // a checkpoint, or the pinned start of a stage
  RunState state;
};

// Later stages and steps are further, and then what is done after a step.
bool IsFurther(const RunState& one, const RunState& other);

// The furthest state of the run below `run_directory` that verifies: the newest whole checkpoint,
// or the start of a later stage of `config`. What is passed over is reported. Nothing when the run
// has saved nothing yet. Throws CheckpointError(kBadData) when it has and nothing verifies, when
// state.json cannot be understood or names a stage that `config` lacks, or when metrics.jsonl is
// not what the state was saved with.
std::optional<ResumePoint> FindResumePoint(FileSystem& files, const std::string& run_directory,
                                           const ExperimentConfig& config,
                                           const CheckpointReport& report);

// Takes a state to the stage that the run goes on in: its own, also when a finished stage was given
// more steps, or the next one. False when the last stage is finished: nothing is left to do. The
// state's stage must be one of `config`'s. Throws ConfigError when that stage was given fewer steps
// than are done.
bool EnterOpenStage(const ExperimentConfig& config, RunState* state);

}  // namespace ponder
