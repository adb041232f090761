// Run folders as a trainer would leave them, without training: for tests of what reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ponder::report {

struct SyntheticRun {
  std::string name = "synthetic";  // of the run and of its folder
  // Steps of the quickstart's stages: pretrain and imitate (sft), reason (grpo).
  int64_t pretrain_steps = 40;
  int64_t imitate_steps = 20;
  int64_t reason_steps = 30;
  int64_t evaluation_interval = 10;    // steps of reason between evaluations
  uint64_t seed = 1;                   // of run.seed and of the noise
  std::vector<std::string> overrides;  // of the experiment: "stages.reason.clip.high=0.3"
  std::string prompt = "3 + 4 * 2 >";  // of all transcripts
};

// Writes config.resolved.yaml, run.json, metrics.jsonl, timing.jsonl and samples/ below
// parent/NAME and returns that folder. Equal arguments write equal bytes.
std::string WriteSyntheticRun(const std::string& parent, const SyntheticRun& run);

}  // namespace ponder::report
