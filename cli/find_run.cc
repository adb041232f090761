#include "cli/find_run.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/base/error.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

// One of the files that a run writes: it may have been killed after any of them.
bool IsRun(FileSystem& files, const std::string& folder) {
  constexpr std::array kFiles{"run.json", "config.resolved.yaml", "status.json", "metrics.jsonl"};
  return std::any_of(kFiles.begin(), kFiles.end(),
                     [&](const std::string& file) { return files.Exists(folder + "/" + file); });
}

}  // namespace

std::string NameOfRun(const std::string& run_folder) {
  return std::filesystem::path(run_folder).filename().string();
}

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
                                     kRunsFolder + "/" +
                                     NameHint(NameOfRun(folder), names, "the runs are"));
}

std::vector<std::string> AllRuns(FileSystem& files) {
  std::vector<std::string> runs;
  for (const std::string& name : files.List(kRunsFolder)) {
    const std::string folder = std::string(kRunsFolder) + "/" + name;
    if (IsRun(files, folder)) runs.push_back(folder);
  }
  return runs;
}

}  // namespace ponder
