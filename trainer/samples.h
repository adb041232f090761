// Transcripts that a run keeps for people: samples/*.jsonl of the run folder, one sample a line
// (docs/run_folder.md). They are a function of the experiment alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/types.h"
#include "core/text/tokenizer.h"

namespace ponder {

// What the samples of one file have in common.
struct SampleOrigin {
  std::string stage;
  std::string set;         // the evaluation's name; empty: groups of a training step
  uint64_t step = 0;       // of the run
  int64_t stage_step = 0;  // finished steps of the stage
};

// Whether the groups of a training step are kept: the first eight steps of a stage, then four per
// doubling (10, 12, 14, 16, 20, ...), so that a long run keeps little and more steps change nothing
// that was kept. stage_step >= 1.
bool KeepsSamplesOf(int64_t stage_step);

// The file of an origin: samples/SET_after_STAGE.jsonl for an evaluation, which the stage's next
// one replaces; samples/step_000120.jsonl for a training step.
std::string SamplesPath(const std::string& run_dir, const SampleOrigin& origin);

// Keeps some samples of the first groups, atomically. Samples of more than 2048 tokens after the
// prompt lose their middle.
void WriteSamples(FileSystem& files, const std::string& run_dir, const SampleOrigin& origin,
                  const std::vector<TrajectoryGroup>& groups, const Tokenizer& tokenizer);

}  // namespace ponder
