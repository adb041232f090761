#include "cli/inspect/target.h"

#include <filesystem>

#include "cli/console_text.h"
#include "cli/inspect/weights_facts.h"
#include "core/base/error.h"
#include "core/config/nearest_name.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/manifest.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

// "; did you mean 'x.yaml'?" when something beside `path` has a name like it.
std::string NeighbourHint(FileSystem& files, const fs::path& path) {
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const std::string nearest = NearestName(path.filename().string(), files.List(folder));
  return nearest.empty() ? "" : "; did you mean '" + Printable(nearest) + "'?";
}

// What to name instead of a folder of checkpoints; empty for any other folder.
std::string CheckpointsHint(FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  for (const int64_t step : CheckpointSteps(files, folder)) names.push_back(CheckpointName(step));
  return names.empty() ? ""
                       : "a folder of checkpoints (name one of them: " + JoinNames(names) + ")";
}

}  // namespace

TargetKind KindOf(FileSystem& files, const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(Condition::kUsage, "inspecting " + Printable(path) +
                                       ": there is no such file or folder" +
                                       NeighbourHint(files, path));
  }
  const auto holds = [&](const std::string& name) { return files.Exists(path + "/" + name); };
  if (fs::is_directory(path, error)) {
    const std::string name = fs::path(path).filename().string();
    if (holds(kManifestName) || StepOfCheckpointName(name)) return TargetKind::kCheckpoint;
    if (holds("run.json") || holds("config.resolved.yaml")) return TargetKind::kRun;
    if (IsModelFolder(files, path)) return TargetKind::kModelFolder;
  } else if (path.ends_with(".safetensors")) {
    return TargetKind::kWeightsFile;
  } else if (path.ends_with(".yaml") || path.ends_with(".yml")) {
    return TargetKind::kExperiment;
  }
  const std::string checkpoints = CheckpointsHint(files, path);
  throw Error(Condition::kUsage,
              "inspecting " + Printable(path) +
                  ": expected a run folder (with run.json), a checkpoint (with MANIFEST.json), a "
                  "model folder or a .safetensors file, or an experiment (.yaml), got " +
                  (checkpoints.empty() ? "something else" : checkpoints));
}

}  // namespace ponder
