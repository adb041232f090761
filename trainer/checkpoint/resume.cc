#include "trainer/checkpoint/resume.h"

#include <tuple>
#include <utility>

#include "core/base/error.h"

namespace ponder {
namespace {

auto PositionOf(const RunState& state) {
  return std::make_tuple(state.stage_index, state.stage_step, !state.evaluations_due,
                         state.stage_complete);
}

}  // namespace

bool IsFurther(const RunState& one, const RunState& other) {
  return PositionOf(one) > PositionOf(other);
}

std::optional<ResumePoint> FindResumePoint(FileSystem& files, const std::string& run_directory,
                                           const ExperimentConfig& config,
                                           const CheckpointReport& report) {
  std::optional<ResumePoint> furthest;
  std::optional<CheckpointError> bad_start;
  const auto consider = [&](const LoadedCheckpoint& loaded) {
    RunState state =
        RunState::FromJson(loaded.File(kStateFile), loaded.directory + "/" + kStateFile);
    if (!furthest || IsFurther(state, furthest->state)) {
      furthest = {loaded.directory, std::move(state)};
    }
  };
  if (const auto loaded = LoadNewest(files, run_directory + "/checkpoints", report)) {
    consider(*loaded);
  }
  for (const StageConfig& stage : config.stages) {
    const std::string parent = run_directory + "/stages/" + stage.name;
    try {
      if (const auto loaded = LoadStageStart(files, parent)) consider(*loaded);
    } catch (const CheckpointError& error) {
      // A pinned start that is bad matters only when nothing else is there to go on from.
      report(parent + "/start", error.what());
      bad_start = error;
    }
  }
  if (!furthest && bad_start) throw *bad_start;
  if (furthest && furthest->state.stage_index >= config.stages.size()) {
    throw CheckpointError(Condition::kBadData,
                          "resuming from " + furthest->directory + ": expected one of the " +
                              std::to_string(config.stages.size()) +
                              " stages of the experiment, got the saved stage index " +
                              std::to_string(furthest->state.stage_index));
  }
  if (furthest) CheckMetricsPrefix(files, run_directory + "/metrics.jsonl", furthest->state);
  return furthest;
}

bool EnterOpenStage(const ExperimentConfig& config, RunState* state) {
  if (state->stage_complete && state->stage_step >= config.stages[state->stage_index].num_steps) {
    if (state->stage_index + 1 == config.stages.size()) return false;
    ++state->stage_index;
    state->stage_step = 0;
  }
  const StageConfig& stage = config.stages[state->stage_index];
  if (state->stage_step > stage.num_steps) {
    throw ConfigError("going on with stage '" + stage.name + "': expected num_steps of at least " +
                      std::to_string(state->stage_step) + ", which are done, got " +
                      std::to_string(stage.num_steps));
  }
  state->stage_complete = false;
  return true;
}

}  // namespace ponder
