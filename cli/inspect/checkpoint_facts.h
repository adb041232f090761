// What a checkpoint folder holds, and whether every byte of it is what was written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/inspect/weights_facts.h"
#include "core/base/file.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {

struct CheckedFile {
  FileRecord record;
  std::string problem;  // empty: size, CRC32C and SHA-256 are those of the manifest
};

struct CheckpointFacts {
  std::string directory;
  std::optional<Manifest> manifest;
  std::optional<RunState> state;
  std::vector<CheckedFile> files;     // of the manifest
  std::vector<std::string> extra;     // files that the manifest does not know: no part of it
  std::vector<WeightsFacts> weights;  // one for each safetensors file, in the order of `files`
  std::vector<std::string> problems;  // of the manifest, the state, the folder's name

  // A reader would take it: the same rule as the trainer's.
  bool IsWhole() const;
  uint64_t num_damaged_files() const;
};

// Reads every byte once (once more for what is `wanted` of the tensors). Never throws
// for what is in the folder.
CheckpointFacts SurveyCheckpoint(FileSystem& files, const std::string& directory,
                                 ContentsWanted wanted);

}  // namespace ponder
