// What an algorithm answers. One file per algorithm in this folder, one line in the table in
// table.cc. Algorithms never see a communicator: BuildExamples runs alike on every rank over the
// whole batch.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/config/experiment.h"
#include "tasks/task.h"
#include "trainer/algorithms/example.h"

namespace ponder {

// What a step takes in.
struct StepInput {
  int64_t step = 0;                     // in the stage
  std::vector<TrajectoryGroup> groups;  // of a sampling algorithm
  // Old log-probs by (group, trajectory), [N] each, when Needs().old_logprobs.
  std::vector<std::vector<std::vector<double>>> old_logprobs;
};

// Passes over the groups that BuildExamples needs first.
struct AnnotationNeeds {
  bool old_logprobs = false;
};

// Per-token inputs of a loss, for the M trained tokens of a micro-batch. Undefined where not given.
struct TokenStreams {
  at::Tensor weight;             // [M]
  at::Tensor advantage;          // [M]
  at::Tensor old_logprob;        // [M]
  at::Tensor behavior_logprob;   // [M]
  at::Tensor reference_logprob;  // [M]
};

// Per-token values to average over all trained tokens of the step, by metric name.
using TokenMetrics = std::map<std::string, at::Tensor>;

// Immutable after construction; called from the main thread.
class Algorithm {
 public:
  virtual ~Algorithm() = default;
  // Does a step take sampled groups (true) or make its own examples (false)?
  virtual bool samples() const = 0;
  virtual AnnotationNeeds Needs() const { return {}; }
  // The minibatches of a step, in order; the loop runs over them num_epochs times. Adds what the
  // batch says to `metrics` (deterministic values only).
  virtual std::vector<Minibatch> BuildExamples(const StepInput& input,
                                               std::map<std::string, double>* metrics) const = 0;
  // Held-out examples whose weighted losses sum to val/loss, for an algorithm whose stages have
  // `validation`.
  virtual Minibatch ValidationExamples() const { return {}; }
  // Loss per trained token, to be minimised. `logprobs` carries gradients. [M] -> [M]
  virtual at::Tensor TokenLoss(const at::Tensor& logprobs, const TokenStreams& streams,
                               TokenMetrics* metrics) const = 0;
};

// Everything an algorithm may be made from.
struct AlgorithmContext {
  const ExperimentConfig& experiment;
  const StageConfig& stage;
  const Task& task;
  const std::string& task_name;
  uint16_t stream = 0;  // of the stage, for ordinals and draws
};

// Throws Error(kConfig) on a name that does not exist.
std::unique_ptr<Algorithm> MakeAlgorithm(const AlgorithmContext& context);

}  // namespace ponder
