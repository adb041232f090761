// The argument RUN of commands about a run or one of its checkpoints.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/checkpoint_reader.h"

namespace ponder {

struct RunArgument {
  std::string run_directory;  // holds config.resolved.yaml
  std::string checkpoint;     // folder of the checkpoint that was named itself; empty: a run
};

// `text`: the folder of a run, the name of one below ./runs, or the folder of a checkpoint or a
// stage's start inside a run. Throws Error(kUsage) that says what there is.
RunArgument FindRunOrCheckpoint(FileSystem& files, const std::string& text);

// The experiment of the run, as its trainer wrote it.
ExperimentConfig ReadRunExperiment(FileSystem& files, const std::string& run_directory);

// "120", "best" or "" (the newest) as LoadCheckpointOf takes it. Throws Error(kUsage).
int64_t ParseStep(const std::string& text);

// The checkpoint that `argument` and `step` (as for ParseStep) mean, verified; a step together with
// the folder of a checkpoint throws Error(kUsage). Logs what is passed over.
LoadedCheckpoint LoadCheckpointOf(FileSystem& files, const RunArgument& argument,
                                  const std::string& step, const Log& log);

}  // namespace ponder
