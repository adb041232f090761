// Finds and reads the newest checkpoint that is whole.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "trainer/checkpoint/manifest.h"

namespace ponder {

// A checkpoint whose every byte was verified when it was loaded. Its files stay on the disk, since
// all of them together may not fit into memory.
struct LoadedCheckpoint {
  std::string directory;
  Manifest manifest;
  FileSystem* file_system = nullptr;  // borrowed
  // Reads a file, verified once more. Throws CheckpointError(kBadData) when there is no such file.
  std::string File(const std::string& relative_path) const;
};

// Takes each checkpoint that is passed over, and why: the text names the file.
using CheckpointReport = std::function<void(const std::string& directory, const std::string& why)>;

// Removes what killed writers left below `root` (".tmp-*", ".trash-*"). Nobody may be writing.
void RemoveLeftovers(FileSystem& files, const std::string& root);

// The newest checkpoint below `root` that verifies; each newer one that does not is reported.
// `latest` is a hint for people only: the manifests decide. Changes nothing.
// Nothing when there are no checkpoint folders at all. Throws CheckpointError(kBadData) when there
// are some and none verifies: a run never silently begins again.
std::optional<LoadedCheckpoint> LoadNewest(FileSystem& files, const std::string& root,
                                           const CheckpointReport& report);

// The checkpoint of exactly `step`. Throws CheckpointError(kBadData) when missing or bad.
LoadedCheckpoint LoadStep(FileSystem& files, const std::string& root, int64_t step);

// PARENT/start of a stage. Nothing when it is not there. Throws CheckpointError(kBadData) when bad.
std::optional<LoadedCheckpoint> LoadStageStart(FileSystem& files, const std::string& parent);

// Steps that have a folder, newest first, whole or not.
std::vector<int64_t> CheckpointSteps(FileSystem& files, const std::string& root);

}  // namespace ponder
