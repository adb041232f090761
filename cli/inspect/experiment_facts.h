// What an experiment would do, as a short plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/config/experiment.h"

namespace ponder {

struct ModelFacts {
  std::string name{};
  std::string source{};  // "preset tiny", "step 120 of run 'other'"
  // Of the architecture; 0 when not known.
  uint64_t num_parameters = 0;
  uint64_t vocab_size = 0;
  uint64_t max_positions = 0;
};

struct StagePlan {
  std::string name{};
  std::string algorithm{};
  std::string task{};
  int64_t num_steps = 0;
  int64_t sequences_per_step = 0;
  // Sampled stages: the most tokens that a step samples. Others: about what a step trains on, by
  // the first demonstrations.
  int64_t tokens_per_step = 0;
  bool samples = false;
};

struct ExperimentFacts {
  std::string path;
  ExperimentConfig config;
  std::vector<ModelFacts> models;
  std::string models_problem;  // why the sizes of the models are not known
  std::vector<StagePlan> stages;
  bool has_run = false;                    // the run folder holds a run already
  std::vector<KeyDifference> differences;  // of class exact: a start would be refused
  std::string run_problem;                 // the folder's own experiment cannot be read
};

// `bin_directory`: where ponder_trainer lies, which knows the models. Throws ConfigError with every
// problem of the file.
ExperimentFacts SurveyExperiment(FileSystem& files, const std::string& path,
                                 const std::vector<std::string>& overrides,
                                 const std::string& bin_directory);

}  // namespace ponder
