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

LoadedCheckpoint Load(FileSystem& files, const std::string& directory) {
  return {directory, VerifyDirectory(files, directory), &files};
}

}  // namespace

std::string LoadedCheckpoint::File(const std::string& relative_path) const {
  for (const FileRecord& record : manifest.files) {
    if (record.path == relative_path) return ReadVerified(*file_system, directory, record);
  }
  throw CheckpointError(
      Condition::kBadData,
      "reading checkpoint " + directory + ": expected a file '" + relative_path + "', got none");
}

void RemoveLeftovers(FileSystem& files, const std::string& root) {
  for (const std::string& name : files.List(root)) {
    if (StartsWith(name, kTemporaryPrefix) || StartsWith(name, kTrashPrefix)) {
      files.RemoveTree(root + "/" + name);
    }
  }
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
  const std::vector<int64_t> steps = CheckpointSteps(files, root);
  if (steps.empty()) return std::nullopt;
  std::string reasons;
  for (const int64_t step : steps) {
    try {
      return LoadStep(files, root, step);
    } catch (const CheckpointError& error) {
      report(root + "/" + CheckpointName(step), error.what());
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
