// A small checkpoint for tests: the files of a run with two ranks, different at every step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/checkpoint_writer.h"

namespace ponder {

inline constexpr const char* kSampleRoot = "runs/quick/checkpoints";

// Contents by path: a function of the step.
std::map<std::string, std::string> SampleFiles(int64_t step);
Manifest SampleManifest(int64_t step);

// Saves the sample checkpoint of `step`: one file comes from another rank.
void SaveSample(FileSystem& files, CheckpointWriter& writer, int64_t step,
                std::optional<int64_t> pinned = std::nullopt);
// The same with a writer of its own.
void SaveSample(FileSystem& files, int64_t step, int64_t keep);
void SaveSampleStart(FileSystem& files, const std::string& parent, int64_t step,
                     const std::string& unique);

// True when `loaded` is, byte for byte, the sample checkpoint of the step that it claims.
bool IsWholeSample(const LoadedCheckpoint& loaded);

// A CheckpointReport for where it does not matter what is passed over.
inline void IgnoreReports(const std::string& /*directory*/, const std::string& /*why*/) {}

// Files and folders below `path` whose name begins with `prefix`, at its first level.
int CountNames(FileSystem& files, const std::string& path, std::string_view prefix);

}  // namespace ponder
