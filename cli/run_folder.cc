#include "cli/run_folder.h"

#include <ctime>

#include "cli/find_run.h"
#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"
#include "core/config/experiment.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

}  // namespace

RunView ReadRun(FileSystem& files, const std::string& run_folder) {
  // The status is read first: a supervisor writes its last one before it lets the lock go.
  RunStatus status = ReadRunStatus(files, run_folder);
  const bool supervised = RunLock::IsHeld(run_folder);
  if (IsActive(status.state) && !supervised) {
    // It may have ended between the two looks.
    status = ReadRunStatus(files, run_folder);
    if (IsActive(status.state)) status.state = RunPhase::kKilled;
  }
  RunView view{.name = NameOfRun(run_folder),
               .status = status,
               .progress = {},
               .usage = UsageOf(status),
               .elapsed_s = 0};
  MarkEnded(&view);
  const int64_t until = status.ended_s > 0 ? status.ended_s : std::time(nullptr);
  if (status.started_s > 0 && status.state != RunPhase::kKilled) {
    view.elapsed_s = static_cast<double>(until - status.started_s);
  }
  const std::string config_path = run_folder + "/config.resolved.yaml";
  if (!files.Exists(config_path)) return view;
  try {
    const ExperimentConfig config =
        ParseExperiment(files.ReadFile(config_path, kMaxConfigBytes), config_path, {});
    view.progress = ReadProgress(files, run_folder, config);
  } catch (const ConfigError&) {
    // An experiment of another version: its processes are still known.
  }
  // Nobody says it of a run that mpirun itself started; its steps do.
  if (view.status.state == RunPhase::kUnsupervised && view.progress.IsComplete()) {
    view.status.state = RunPhase::kFinished;
  }
  return view;
}

}  // namespace ponder
