// Which checkpoint of a run somebody means: the newest, the best, or that of a step. Reads only.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/checkpoint_reader.h"

namespace ponder {

// Stands for the newest checkpoint that verifies, beside kBestStep.
inline constexpr int64_t kNewestStep = -1;

// `step`: of the run, kNewestStep, or kBestStep: the one that the newest checkpoint names as the
// best. Checkpoints that are passed over on the way are reported. Throws CheckpointError(kBadData)
// that says which checkpoints there are, when that one is not there or not whole.
LoadedCheckpoint LoadCheckpointOf(FileSystem& files, const std::string& run_directory, int64_t step,
                                  const CheckpointReport& report);

}  // namespace ponder
