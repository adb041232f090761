// How far a run is, from what its trainer writes anyway: metrics.jsonl, timing.jsonl and the
// folders of stages and checkpoints. It costs the trainer nothing and is there for every run,
// however it was started.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/config/experiment.h"

namespace ponder {

struct StageTarget {
  std::string name;
  int64_t num_steps = 0;
  int64_t first_step = 0;  // steps of the run before this stage
};

struct EvaluationResult {
  std::string set;
  std::string stage;
  std::map<std::string, double> values;  // "val/..." as in docs/metrics.md
};

struct RunProgress {
  std::vector<StageTarget> stages;        // in order, as far as the experiment is known
  size_t current = 0;                     // of `stages`: the one that began last
  int64_t run_step = 0;                   // the last step that is in the metrics, over all stages
  double eta_s = -1;                      // to the end of the current stage; negative when unknown
  std::map<std::string, double> metrics;  // of the current stage's last step, both files
  std::string history_name;               // "reward/mean" or "actor/loss"
  std::vector<double> history;            // of the stage's last steps, oldest first
  std::vector<EvaluationResult> evaluations;  // the last one of each set
  int64_t saved_step = -1;                    // of the newest checkpoint, -1 for none

  // Steps done in stage `index`.
  int64_t StepsDone(size_t index) const;
  // Every step of the last stage is done and saved.
  bool IsComplete() const;
};

// The part that is text: the ends of metrics.jsonl and timing.jsonl. A line that is cut off at
// either end is passed over. `begun`: number of stages that began, at least 1. Pure.
RunProgress ProgressFrom(std::vector<StageTarget> stages, size_t begun,
                         std::string_view metrics_tail, std::string_view timing_tail);

// Reads the progress of the run in `run_folder`, whose experiment is `config`. Takes some
// milliseconds at any length of the run. Throws Error(kIo).
RunProgress ReadProgress(FileSystem& files, const std::string& run_folder,
                         const ExperimentConfig& config);

// Step of the newest checkpoint in a run folder, -1 for none. Throws Error(kIo).
int64_t NewestCheckpoint(FileSystem& files, const std::string& run_folder);

// The highest N among the names "PREFIXN" in a folder, -1 for none. Throws Error(kIo).
int64_t HighestNumber(FileSystem& files, const std::string& folder, std::string_view prefix);

}  // namespace ponder
