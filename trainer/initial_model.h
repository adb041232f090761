// Where the policy of a new run comes from: drawn at random, or a checkpoint of another run.
#pragma once

#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "model/decoder_config.h"
#include "model/parameters.h"

namespace ponder {

// The architecture that models[0].init names. Throws Error(kConfig) when a checkpoint's vocabulary
// is not the tasks', CheckpointError(kBadData) when the checkpoint is missing or bad.
DecoderConfig InitialDecoder(FileSystem& files, const ExperimentConfig& config,
                             uint32_t vocab_size);

// Its first weights: drawn by the run's seed, or those of the checkpoint. `parameters` has the form
// that InitialDecoder gave.
void LoadInitialWeights(FileSystem& files, const ExperimentConfig& config, Parameters* parameters);

}  // namespace ponder
