// state.json of a checkpoint: where a run stands, apart from weights, moments and stored groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/file.h"

namespace ponder {

// What is written. Version 1, which is still read, had values of evaluations instead of `best`.
inline constexpr uint32_t kRunStateFormatVersion = 2;

// The checkpoint whose evaluation was the best so far.
struct BestCheckpoint {
  std::string measure;  // what it is the best by; by another measure it is none
  double value = 0;     // finite
  int64_t step = 0;     // of the run
  bool operator==(const BestCheckpoint&) const = default;
};

// Everything that the next step depends on. Random numbers and data order need no state: they are
// pure functions of seed and ordinal. The learning rate is a function of stage_step.
struct RunState {
  int64_t run_step = 0;          // finished steps over all stages
  uint64_t stage_index = 0;      // of the experiment's stages
  int64_t stage_step = 0;        // finished steps of that stage; the experience's next step
  bool stage_complete = false;   // its evaluations at the end are done, too
  bool evaluations_due = false;  // those after stage_step are still to be made
  int64_t run_updates = 0;       // optimizer updates over all stages
  uint64_t version = 0;          // newest published version
  bool weights_changed = false;  // since that publication
  int64_t nonfinite_steps = 0;   // skipped in a row
  uint64_t frontier = 0;         // next prompt index of the stage (max_staleness = 0)
  // metrics.jsonl and timing.jsonl as they were: a resumed run cuts them back to here.
  uint64_t metrics_bytes = 0;
  std::string metrics_sha256;  // of the first metrics_bytes bytes; empty: not recorded
  uint64_t timing_bytes = 0;
  uint32_t attempt = 0;  // of the writer
  std::optional<BestCheckpoint> best;
  bool operator==(const RunState&) const = default;

  // Sorted keys, all of them written; doubles in the shortest form that reads back exactly.
  std::string ToJson() const;
  // Strict: every key of the text's version must be there with its type, others must not. Throws
  // CheckpointError(kBadData).
  static RunState FromJson(std::string_view json, const std::string& source);
  // Without what the clock and the number of restarts decide (timing_bytes, attempt): the state of
  // a stage start, which must come out the same when it is written again.
  RunState WithoutAttempt() const;
};

// SHA-256 of the first `size` bytes of a file. Throws CheckpointError(kBadData) when it is shorter.
std::string Sha256OfPrefix(FileSystem& files, const std::string& path, uint64_t size);

// Throws CheckpointError(kBadData) unless metrics.jsonl at `path` still begins with what `state`
// was saved with: a run must never go on under metrics that are not its own.
void CheckMetricsPrefix(FileSystem& files, const std::string& path, const RunState& state);

}  // namespace ponder
