// Published states of the smallest model, with random weights that differ by version.
#pragma once

#include <memory>

#include "core/base/file.h"
#include "core/weights/snapshot.h"
#include "model/decoder.h"

namespace ponder::testing {

inline SnapshotPtr TinySnapshot(uint64_t version, int64_t vocab_size = 21) {
  const DecoderConfig config = DecoderConfig::Preset("tiny", vocab_size);
  Parameters parameters(config, at::kFloat, /*trainable=*/false);
  parameters.Initialize(/*seed=*/version);
  auto snapshot = std::make_shared<WeightSnapshot>();
  snapshot->bytes = parameters.ToBytes();
  snapshot->layout = parameters.layout();
  snapshot->config_json = config.ToJson();
  snapshot->kernel_path = "aten_f32";
  snapshot->identity = {.run_id = "run-1",
                        .attempt = 1,
                        .model = "policy",
                        .version = version,
                        .digest = Sha256Hex({snapshot->bytes.data(), snapshot->bytes.size()})};
  return snapshot;
}

}  // namespace ponder::testing
