// What a run learned, read back from its own files: a finished run shows the same as it did at its
// end.
#pragma once

#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/types.h"
#include "core/config/experiment.h"
#include "core/text/tokenizer.h"

namespace ponder {

// Keeps the first prompts of an evaluation as text in samples/NAME_after_STAGE.jsonl of the run
// folder.
void WriteSamples(FileSystem& files, const std::string& run_dir, const std::string& evaluation,
                  const std::string& stage, const std::vector<TrajectoryGroup>& groups,
                  const Tokenizer& tokenizer);

// The table of stage-end evaluations before and after each stage, three chains of thought of the
// last one, the run folder, and the command that goes on from there. `config_path`: as the user
// gave it.
std::string RenderResults(FileSystem& files, const ExperimentConfig& config,
                          const std::string& config_path);

}  // namespace ponder
