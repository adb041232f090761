// Random valid experiments for property tests.
#pragma once

#include <rapidcheck.h>

#include "core/config/experiment.h"

namespace ponder {

// Any experiment that the reader accepts, with every member that its algorithms and task types take
// varied. Members that are not taken keep their defaults.
rc::Gen<ExperimentConfig> GenExperiment();

}  // namespace ponder
