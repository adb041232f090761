// What `ponder up` starts for an experiment, as command lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/supervisor/child_process.h"
#include "core/config/experiment.h"

namespace ponder {

struct LaunchPlan {
  ChildSpec trainer;
  // Of trainer.argv: filled in at each start with the folder that gets what every rank writes, in
  // files of its own. 0: there is none.
  size_t rank_logs_argument = 0;
  std::vector<ChildSpec>
      services;               // reward services, then workers: started once the trainer listens
  uint16_t trainer_port = 0;  // on 127.0.0.1
  std::string run_directory;
  int64_t first_attempt = 1;  // number of the trainer's first start in this run folder
  int64_t max_restarts = 0;   // of the trainer
};

// `bin_directory`: where the sibling programs lie. `config_path` and `overrides` go to the trainer
// as they are. `live_view`: the steps are shown by a picture, so the trainer leaves them out of its
// lines. Throws Error(kUsage) naming a program that is missing.
LaunchPlan MakeLaunchPlan(const ExperimentConfig& config, const std::string& config_path,
                          const std::vector<std::string>& overrides,
                          const std::string& bin_directory, uint16_t trainer_port, bool live_view);

// mpirun with what one machine needs, as a launcher; the program and its arguments are to be added.
ChildSpec MpirunSpec(int64_t num_ranks);

// A port of the loopback interface that nobody listens on at this moment. Throws Error(kIo).
uint16_t PickFreeLoopbackPort();

// True when something accepts connections on 127.0.0.1:`port`. Does not block for long.
bool AcceptsConnections(uint16_t port);

// The folder of the running program. Throws Error(kIo).
std::string OwnBinDirectory();

}  // namespace ponder
