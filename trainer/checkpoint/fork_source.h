// Where the first weights of a fork come from: the policy of another run.
#pragma once

#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/checkpoint_reader.h"

namespace ponder {

// What `init` names below `runs` (run.dir), or by the path of a run's folder: with `step` that
// checkpoint, or the best one; with `stage` what the
// stage ended with, which is the pinned start of the stage after it, or the newest checkpoint when
// it was the last. Only reads, so the other run may go on meanwhile. Throws ConfigError that says
// what there is when the run, the step or the stage does not exist or the stage has not ended, and
// CheckpointError(kBadData) when the files are bad.
LoadedCheckpoint LoadForkSource(FileSystem& files, const std::string& runs, const ModelInit& init);

}  // namespace ponder
