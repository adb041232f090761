#include "cli/run_folder.h"

#include <ctime>
#include <filesystem>

#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"
#include "core/config/experiment.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

bool IsRun(FileSystem& files, const std::string& folder) {
  return files.Exists(folder + "/config.resolved.yaml") || files.Exists(folder + "/status.json");
}

std::string NameOfRun(const std::string& run_folder) {
  return std::filesystem::path(run_folder).filename().string();
}

}  // namespace

std::string FindRun(FileSystem& files, const std::string& run) {
  // Without a slash at its end the last part is the run's name.
  std::string folder = std::filesystem::path(run).lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  for (const std::string& candidate : {folder, kRunsFolder + ("/" + folder)}) {
    if (IsRun(files, candidate)) return candidate;
  }
  std::vector<std::string> names;
  for (const std::string& known : AllRuns(files)) names.push_back(NameOfRun(known));
  throw Error(Condition::kUsage, "no run '" + run + "': expected a run folder or a name below " +
                                     kRunsFolder + "/" + NameHint(run, names, "the runs are"));
}

std::vector<std::string> AllRuns(FileSystem& files) {
  std::vector<std::string> runs;
  for (const std::string& name : files.List(kRunsFolder)) {
    const std::string folder = std::string(kRunsFolder) + "/" + name;
    if (IsRun(files, folder)) runs.push_back(folder);
  }
  return runs;
}

RunView ReadRun(FileSystem& files, const std::string& run_folder) {
  // The status is read first: a supervisor writes its last one before it lets the lock go.
  RunStatus status = ReadRunStatus(files, run_folder);
  const bool supervised = RunLock::IsHeld(run_folder);
  if (IsActive(status.state) && !supervised) {
    // It may have ended between the two looks.
    status = ReadRunStatus(files, run_folder);
    if (IsActive(status.state)) status.state = RunState::kKilled;
  }
  RunView view{.name = NameOfRun(run_folder),
               .status = status,
               .progress = {},
               .usage = UsageOf(status),
               .elapsed_s = 0};
  MarkEnded(&view);
  const int64_t until = status.ended_s > 0 ? status.ended_s : std::time(nullptr);
  if (status.started_s > 0 && status.state != RunState::kKilled) {
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
  return view;
}

}  // namespace ponder
