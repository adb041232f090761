// The keys that --set can change, for completion.
#pragma once

#include <string>
#include <vector>

#include "core/config/experiment.h"

namespace ponder {

// Every key with one value ("stages.reason.num_steps"), in the order of the resolved file. Entries
// of lists go by their names, those without one by their index.
std::vector<std::string> KeysOf(const ExperimentConfig& config);

}  // namespace ponder
