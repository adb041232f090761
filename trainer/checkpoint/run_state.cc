#include "trainer/checkpoint/run_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "trainer/checkpoint/json_object.h"

namespace ponder {
namespace {

constexpr uint32_t kOldestFormatVersion = 1;

// Memory that the digest of a file of any size takes.
constexpr uint64_t kPieceBytes = 4u << 20;

nlohmann::json JsonOf(const std::optional<BestCheckpoint>& best) {
  if (!best) return nullptr;
  return {{"measure", best->measure}, {"value", best->value}, {"step", best->step}};
}

std::optional<BestCheckpoint> BestFrom(const nlohmann::json& json, const std::string& source) {
  if (json.is_null()) return std::nullopt;
  JsonObject object(json, source);
  BestCheckpoint best;
  best.measure = object.Text("measure");
  best.value = object.Real("value");
  best.step = object.Count("step");
  object.Finish();
  return best;
}

}  // namespace

std::string RunState::ToJson() const {
  const nlohmann::json json{{"format_version", kRunStateFormatVersion},
                            {"run_step", run_step},
                            {"stage_index", stage_index},
                            {"stage_step", stage_step},
                            {"stage_complete", stage_complete},
                            {"evaluations_due", evaluations_due},
                            {"run_updates", run_updates},
                            {"version", version},
                            {"weights_changed", weights_changed},
                            {"nonfinite_steps", nonfinite_steps},
                            {"frontier", frontier},
                            {"metrics_bytes", metrics_bytes},
                            {"metrics_sha256", metrics_sha256},
                            {"timing_bytes", timing_bytes},
                            {"attempt", attempt},
                            {"best", JsonOf(best)}};
  return json.dump(2) + "\n";
}

RunState RunState::FromJson(std::string_view json, const std::string& source) {
  const nlohmann::json root = ParseCheckpointJson(json, source);
  JsonObject object(root, source);
  const uint32_t format_version = object.U32("format_version");
  if (format_version < kOldestFormatVersion || format_version > kRunStateFormatVersion) {
    throw CheckpointError(Condition::kBadData, "reading " + source + ": expected format_version " +
                                                   std::to_string(kOldestFormatVersion) + " or " +
                                                   std::to_string(kRunStateFormatVersion) +
                                                   ", got " + std::to_string(format_version) +
                                                   " (written by another release)");
  }
  RunState state;
  state.run_step = object.Count("run_step");
  state.stage_index = object.U64("stage_index");
  state.stage_step = object.Count("stage_step");
  state.stage_complete = object.Bool("stage_complete");
  state.evaluations_due = object.Bool("evaluations_due");
  state.run_updates = object.Count("run_updates");
  state.version = object.U64("version");
  state.weights_changed = object.Bool("weights_changed");
  state.nonfinite_steps = object.Count("nonfinite_steps");
  state.frontier = object.U64("frontier");
  state.metrics_bytes = object.U64("metrics_bytes");
  state.metrics_sha256 = object.Text("metrics_sha256");
  if (!state.metrics_sha256.empty()) state.metrics_sha256 = object.Digest("metrics_sha256");
  state.timing_bytes = object.U64("timing_bytes");
  state.attempt = object.U32("attempt");
  if (format_version == 1) {
    object.Object("evaluations");  // nothing depends on them
  } else {
    state.best = BestFrom(object.Value("best"), source + ", best");
  }
  object.Finish();
  return state;
}

RunState RunState::WithoutAttempt() const {
  RunState state = *this;
  state.timing_bytes = 0;
  state.attempt = 0;
  return state;
}

std::string Sha256OfPrefix(FileSystem& files, const std::string& path, uint64_t size) {
  Sha256 digest;
  for (uint64_t done = 0; done < size;) {
    const std::string piece = files.ReadRange(path, done, std::min(size - done, kPieceBytes));
    if (piece.empty()) {
      throw CheckpointError(Condition::kBadData, "reading " + path + ": expected at least " +
                                                     std::to_string(size) + " bytes, got " +
                                                     std::to_string(done));
    }
    digest.Update(piece);
    done += piece.size();
  }
  return digest.FinishHex();
}

void CheckMetricsPrefix(FileSystem& files, const std::string& path, const RunState& state) {
  if (state.metrics_sha256.empty()) return;
  const std::string actual = Sha256OfPrefix(files, path, state.metrics_bytes);
  if (actual != state.metrics_sha256) {
    throw CheckpointError(Condition::kBadData,
                          "resuming " + path + ": expected SHA-256 " + state.metrics_sha256 +
                              " of the first " + std::to_string(state.metrics_bytes) +
                              " bytes, got " + actual + " (the file was changed since the save)");
  }
}

}  // namespace ponder
