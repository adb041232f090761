// `ponder eval` as an experiment: a run whose only stage is `evaluate`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/experiment.h"

namespace ponder {

// What is evaluated.
struct EvaluationChoice {
  int64_t step = 0;                 // a checkpoint of the run
  std::vector<std::string> sets{};  // evaluations of the run; empty: all
  int64_t num_samples = 0;          // of each prompt; 0: the sets' own
};

// The experiment that measures checkpoint `choice.step` of the run in `run_directory` (an absolute
// path), whose own experiment is `run`. It keeps seed, tasks and the order of the evaluations, so a
// set has the problems and draws that it had in the run. Its own folder lies inside the run's,
// evaluations/step_000120, with a suffix for a choice of sets or samples. Throws Error(kUsage) when
// the run has no such set, or none at all.
ExperimentConfig EvaluationExperiment(const ExperimentConfig& run, const std::string& run_directory,
                                      const EvaluationChoice& choice);

}  // namespace ponder
