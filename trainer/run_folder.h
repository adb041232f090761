// The folder of a run: who may use it, and which attempt this is.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/config/experiment.h"

namespace ponder {

// Fixed when the folder is made; `attempt` grows by one per start of the trainer.
struct RunIdentity {
  std::string run_id;
  uint32_t attempt = 0;
};

// Makes or opens runs/NAME, writes config.resolved.yaml and counts the attempt. Rank 0 only.
// A folder that holds another experiment is refused with Error(kConfig) that lists the keys of
// class `exact` that differ, and so is another num_steps of a stage that has ended; `soft` ones are
// logged. With checkpoint.resume = never a folder that
// holds a run is refused too.
RunIdentity OpenRunFolder(FileSystem& files, const ExperimentConfig& config, const Log& log);

}  // namespace ponder
