// What a run folder holds, and what a start of the run would do with it now. Reads only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/inspect/attempt_facts.h"
#include "core/base/file.h"
#include "core/config/experiment.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {

// A checkpoint or the pinned start of a stage.
struct SavedStateFacts {
  std::string name{};  // relative to the run folder: "checkpoints/step_000120"
  uint64_t size = 0;
  std::optional<RunState> state{};  // set when it is whole
  std::string problem{};            // why it is not
};

struct MetricsFacts {
  std::string name{};  // "metrics.jsonl"
  uint64_t size = 0;
  uint64_t num_lines = 0;      // whole ones
  uint64_t num_bad_lines = 0;  // no JSON object
  bool ends_in_a_line = true;  // false: the last line is torn
};

struct StageFacts {
  std::string name{};
  std::string algorithm{};
  int64_t num_steps = 0;  // planned
  // Of the state that a start goes on from; nothing when a start is refused.
  std::optional<int64_t> done_steps{};
  bool is_complete = false;
};

// What `ponder up` or ponder_trainer would do with the folder as it is.
struct ResumeFacts {
  enum class Kind { kBegins, kGoesOn, kFinished, kRefuses };
  Kind kind = Kind::kBegins;
  std::string from;                                // saved state, relative to the run folder
  std::string stage;                               // that the run goes on in
  RunState position;                               // in that stage
  std::string reason;                              // of a refusal
  std::map<std::string, std::string> passed_over;  // saved state to why
};

struct RunFacts {
  std::string directory;
  std::string run_id;
  uint32_t num_attempts = 0;
  std::string holder;  // "process 4711", when `ponder up` holds the run; empty otherwise
  std::vector<StageFacts> stages;
  std::vector<AttemptFacts> attempts;
  std::vector<SavedStateFacts> checkpoints;  // newest first
  std::vector<SavedStateFacts> stage_starts;
  std::vector<MetricsFacts> metrics;
  ResumeFacts resume;
  std::vector<std::string> problems;  // of run.json and config.resolved.yaml

  // Nothing is damaged, and a start would not be refused.
  bool IsSound() const;
};

// Reads every byte of every saved state, once or twice. Never throws for what is in the folder.
RunFacts SurveyRun(FileSystem& files, const std::string& directory);

// Lines of a .jsonl file, read in pieces. Throws Error(kIo).
MetricsFacts SurveyMetrics(FileSystem& files, const std::string& directory,
                           const std::string& name);

// The process that holds a lock (flock) on `path`, by /proc/locks: "process 4711"; empty for none.
std::string LockHolder(const std::string& path);

}  // namespace ponder
