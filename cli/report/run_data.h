// A run as its folder tells it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/report/series.h"
#include "core/base/file.h"
#include "core/config/experiment.h"

namespace ponder::report {

// One evaluation: the metrics of its line by name.
struct EvaluationPoint {
  double step = 0;  // finished steps of the stage
  bool at_stage_end = false;
  std::map<std::string, double> values;
};

// The histogram of response lengths of one step: bin i holds i * bin_tokens + 1 to
// (i + 1) * bin_tokens tokens.
struct LengthCounts {
  double step = 0;
  double bin_tokens = 1;
  std::vector<double> counts;
};

// Steps are counted in the stage, from 1, as the console does.
struct StageData {
  std::string name;
  std::string algorithm;                  // empty when the configuration could not be read
  uint64_t steps_before = 0;              // of the run, when the stage began
  uint64_t num_steps = 0;                 // finished
  std::map<std::string, Series> metrics;  // of metrics.jsonl
  std::map<std::string, Series> timing;   // of timing.jsonl
  std::map<std::string, std::vector<EvaluationPoint>> evaluations;  // by set
  std::vector<LengthCounts> lengths;
  double evaluate_s = 0;
  double checkpoint_s = 0;
};

struct TranscriptToken {
  std::string text;
  std::optional<double> logprob;  // none: not sampled by the policy
};

// One kept sample.
struct Transcript {
  std::string stage;
  std::string set;  // empty: of a training step
  uint64_t stage_step = 0;
  uint64_t ordinal = 0;  // of the prompt
  uint64_t sample = 0;
  bool greedy = false;
  bool correct = false;
  bool ran_out = false;  // of tokens
  std::string prompt;
  std::string reference;
  double reward = 0;
  std::string rewards;  // "answer 1 (equal)", one source after the other
  std::vector<TranscriptToken> tokens;
  size_t cut_after = 0;  // tokens before the gap of a shortened response
  uint64_t cut_tokens = 0;
};

struct RunData {
  std::string folder;
  std::string name;
  std::string run_id;
  std::string config_text;                 // config.resolved.yaml
  std::optional<ExperimentConfig> config;  // none when this release cannot read it
  std::vector<StageData> stages;           // in the order in which they began
  std::vector<Transcript> transcripts;     // in the order of the run; a selection
  std::vector<std::string> notes;          // what was damaged or missing
  uint64_t bytes_read = 0;
};

// Reads a run folder, finished or not. Damaged lines are left out and noted. Throws
// Error(kBadData) when the folder holds no run, Error(kIo) when it cannot be read.
RunData ReadRun(FileSystem& files, const std::string& folder);

// Adds the transcripts to a run whose stages are known. At most `max_tokens` tokens altogether.
void ReadTranscripts(FileSystem& files, size_t max_tokens, RunData* run);

}  // namespace ponder::report
