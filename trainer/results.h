// What a run learned, read back from its own files: a finished run shows the same as it did at its
// end.
#pragma once

#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"

namespace ponder {

// The table of stage-end evaluations before and after each stage, three chains of thought of the
// last one, the run folder, and the command that goes on from there. `config_path`: as the user
// gave it.
std::string RenderResults(FileSystem& files, const ExperimentConfig& config,
                          const std::string& config_path);

}  // namespace ponder
