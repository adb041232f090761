// Where the policy of a new run comes from: drawn at random, or a checkpoint of another run.
#pragma once

#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "model/decoder_config.h"
#include "model/parameters.h"

namespace ponder {

// The architecture that models[0].init names. A fork that has begun reads it from its own pinned
// start, so that the run that it was forked from may be gone. Throws ConfigError when a policy's
// vocabulary is not the tasks', and what LoadForkSource throws.
DecoderConfig InitialDecoder(FileSystem& files, const ExperimentConfig& config,
                             uint32_t vocab_size);

// Its first weights: drawn by the run's seed, or those of the checkpoint. `parameters` has the form
// that InitialDecoder gave.
void LoadInitialWeights(FileSystem& files, const ExperimentConfig& config, Parameters* parameters);

}  // namespace ponder
