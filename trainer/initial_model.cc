#include "trainer/initial_model.h"

#include "core/base/error.h"
#include "core/weights/safetensors.h"
#include "trainer/checkpoint/checkpoint_reader.h"

namespace ponder {
namespace {

LoadedCheckpoint CheckpointOf(FileSystem& files, const ExperimentConfig& config) {
  const ModelInit& init = config.models.front().init;
  return LoadStep(files, config.run.dir + "/" + init.run + "/checkpoints", init.step);
}

}  // namespace

DecoderConfig InitialDecoder(FileSystem& files, const ExperimentConfig& config,
                             uint32_t vocab_size) {
  const ModelInit& init = config.models.front().init;
  if (init.run.empty()) return DecoderConfig::Preset(init.preset, vocab_size);
  const LoadedCheckpoint checkpoint = CheckpointOf(files, config);
  DecoderConfig decoder = DecoderConfig::FromJson(checkpoint.File("policy/config.json"));
  if (decoder.vocab_size != vocab_size) {
    throw ConfigError("models." + config.models.front().name + ".init: run '" + init.run +
                      "' step " + std::to_string(init.step) + " has a vocabulary of " +
                      std::to_string(decoder.vocab_size) + " tokens, expected the tasks' " +
                      std::to_string(vocab_size));
  }
  return decoder;
}

void LoadInitialWeights(FileSystem& files, const ExperimentConfig& config, Parameters* parameters) {
  if (config.models.front().init.run.empty()) {
    parameters->Initialize(config.run.seed);
    return;
  }
  const LoadedCheckpoint checkpoint = CheckpointOf(files, config);
  const std::string name = "policy/model.safetensors";
  const std::vector<char> flat = FlatFromSafetensors(
      checkpoint.File(name), checkpoint.directory + "/" + name, parameters->layout());
  parameters->LoadBytes({flat.data(), flat.size()});
}

}  // namespace ponder
