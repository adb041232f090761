#include "trainer/checkpoint/checkpoint_reader.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/staged_directory.h"

namespace ponder {
namespace {

bool StartsWith(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

void RemoveLeftovers(FileSystem& files, const std::string& parent) {
  for (const std::string& name : files.List(parent)) {
    if (StartsWith(name, kTemporaryPrefix) || StartsWith(name, kTrashPrefix)) {
      files.RemoveTree(parent + "/" + name);
    }
  }
}

LoadedCheckpoint Load(FileSystem& files, const std::string& directory) {
  LoadedCheckpoint loaded;
  loaded.directory = directory;
  loaded.manifest = ReadManifest(files, directory);
  loaded.files = ReadVerified(files, directory, loaded.manifest);
  return loaded;
}

}  // namespace

const std::string& LoadedCheckpoint::File(const std::string& relative_path) const {
  const auto it = files.find(relative_path);
  if (it == files.end()) {
    throw CheckpointError(
        Condition::kBadData,
        "reading checkpoint " + directory + ": expected a file '" + relative_path + "', got none");
  }
  return it->second;
}

std::vector<int64_t> CheckpointSteps(FileSystem& files, const std::string& root) {
  std::vector<int64_t> steps;
  for (const std::string& name : files.List(root)) {
    if (const std::optional<int64_t> step = StepOfCheckpointName(name)) steps.push_back(*step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

LoadedCheckpoint LoadStep(FileSystem& files, const std::string& root, int64_t step) {
  const std::string directory = root + "/" + CheckpointName(step);
  LoadedCheckpoint loaded = Load(files, directory);
  if (loaded.manifest.step != step) {
    throw CheckpointError(Condition::kBadData, "verifying " + directory +
                                                   ": expected the manifest of step " +
                                                   std::to_string(step) + ", got that of step " +
                                                   std::to_string(loaded.manifest.step));
  }
  return loaded;
}

std::optional<LoadedCheckpoint> LoadNewest(FileSystem& files, const std::string& root,
                                           const CheckpointReport& report) {
  RemoveLeftovers(files, root);
  const std::vector<int64_t> steps = CheckpointSteps(files, root);
  if (steps.empty()) return std::nullopt;
  std::string reasons;
  for (const int64_t step : steps) {
    try {
      return LoadStep(files, root, step);
    } catch (const CheckpointError& error) {
      report("checkpoint " + CheckpointName(step) + " is bad and left out: " + error.what());
      reasons += std::string("\n  ") + error.what();
    }
  }
  throw CheckpointError(Condition::kBadData,
                        "resuming from " + root + ": expected at least one whole checkpoint, got " +
                            std::to_string(steps.size()) + " of which none verifies:" + reasons +
                            "\n(repair or remove the folder; a run never silently begins again)");
}

std::optional<LoadedCheckpoint> LoadStageStart(FileSystem& files, const std::string& parent) {
  const std::string directory = parent + "/start";
  if (!files.Exists(directory)) return std::nullopt;
  return Load(files, directory);
}

}  // namespace ponder
