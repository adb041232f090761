#include "trainer/initial_model.h"

#include "core/base/error.h"
#include "core/weights/safetensors.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/fork_source.h"

namespace ponder {
namespace {

// What holds the shape of a forked policy: the pinned start of the run's own first stage once that
// is there, so that a run that goes on does without the run that it was forked from.
LoadedCheckpoint ShapeSource(FileSystem& files, const ExperimentConfig& config) {
  const std::string first = config.RunDirectory() + "/stages/" + config.stages.front().name;
  if (auto start = LoadStageStart(files, first)) return *std::move(start);
  return LoadForkSource(files, config.run.dir, config.models.front().init);
}

}  // namespace

DecoderConfig InitialDecoder(FileSystem& files, const ExperimentConfig& config,
                             uint32_t vocab_size) {
  const ModelInit& init = config.models.front().init;
  if (init.run.empty()) {
    DecoderConfig decoder = DecoderConfig::Preset(init.preset, vocab_size);
    if (init.num_layers > 0) decoder.num_layers = init.num_layers;
    return decoder;
  }
  const LoadedCheckpoint source = ShapeSource(files, config);
  DecoderConfig decoder = DecoderConfig::FromJson(source.File("policy/config.json"));
  if (decoder.vocab_size != vocab_size) {
    throw ConfigError("models." + config.models.front().name + ".init: the policy in " +
                      source.directory + " has a vocabulary of " +
                      std::to_string(decoder.vocab_size) + " tokens, expected the tasks' " +
                      std::to_string(vocab_size));
  }
  return decoder;
}

void LoadInitialWeights(FileSystem& files, const ExperimentConfig& config, Parameters* parameters) {
  const ModelInit& init = config.models.front().init;
  if (init.run.empty()) {
    parameters->Initialize(config.run.seed);
    return;
  }
  const LoadedCheckpoint source = LoadForkSource(files, config.run.dir, init);
  const std::string name = "policy/model.safetensors";
  const std::vector<char> flat =
      FlatFromSafetensors(source.File(name), source.directory + "/" + name, parameters->layout());
  parameters->LoadBytes({flat.data(), flat.size()});
}

}  // namespace ponder
