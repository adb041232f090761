// One trained model and the arithmetic of its updates, on one rank of several.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/experiment.h"
#include "model/decoder.h"
#include "model/parameters.h"
#include "trainer/algorithms/algorithm.h"
#include "trainer/comm/communicator.h"
#include "trainer/optim/sharded_optimizer.h"

namespace ponder {

// Seconds spent in the parts of an update, summed over minibatches.
struct UpdateTimes {
  double forward_backward_s = 0;
  double optimizer_s = 0;  // reduction, clipping, update and gathering
};

// Sums over the trained tokens of all ranks since the last Report().
struct UpdateReport {
  std::map<std::string, double> metrics;  // actor/*, train/*, train_rollout/*
  UpdateTimes times;
  bool finite = true;  // false: at least one update was skipped, alike on all ranks
  int64_t num_updates = 0;
};

// Owns the parameters and the optimizer. All methods are collective. Called from the main thread.
class Learner {
 public:
  // `comm` and `clock` are borrowed. `max_tokens`: of one micro-batch.
  Learner(const DecoderConfig& config, Communicator& comm, const Clock& clock, int64_t max_tokens,
          at::ScalarType dtype = at::kFloat);

  // A fresh optimizer for a stage: moments at zero.
  void ResetOptimizer(const OptimizerConfig& config);

  // None, for a stage without steps.
  void DropOptimizer() { optimizer_.reset(); }

  // Sum over all ranks of weight * loss of the minibatch's tokens. No gradients; what Report()
  // says is not touched.
  double Loss(const Algorithm& algorithm, const Minibatch& minibatch);

  // The trainer's own log-probs of every trajectory, [N] each by (group, trajectory), 0 where not
  // sampled. Each rank scores its share; the shares are joined. Greedy rows are left empty.
  std::vector<std::vector<std::vector<double>>> ScoreGroups(
      const std::vector<TrajectoryGroup>& groups);

  // Gradient of the minibatch, summed over ranks into the canonical order (before clipping). For
  // tests and for Update.
  void AccumulateGradient(const Algorithm& algorithm, const Minibatch& minibatch);

  // One optimizer update from one minibatch at learning rate `learning_rate`.
  void Update(const Algorithm& algorithm, const Minibatch& minibatch, double learning_rate);

  // What the updates since the last call amounted to, the same on every rank; then starts over.
  UpdateReport Report();

  Parameters& parameters() { return parameters_; }
  const Decoder& decoder() const { return decoder_; }
  // Null after DropOptimizer.
  ShardedOptimizer* optimizer() { return optimizer_.get(); }

 private:
  // Adds one micro-batch's metrics; `loss` and the tensors are detached scalars or [M].
  void Collect(const TokenMetrics& token_metrics, const at::Tensor& weight, const at::Tensor& loss,
               const at::Tensor& entropy);

  Communicator& comm_;
  const Clock& clock_;
  const int64_t max_tokens_;
  const at::ScalarType dtype_;
  Parameters parameters_;
  Decoder decoder_;
  std::unique_ptr<ShardedOptimizer> optimizer_;
  // By metric name; the names are the rows of the metric table, so all ranks agree on the order.
  std::map<std::string, double> sums_;
  double max_logprob_diff_ = 0;
  UpdateTimes times_;
  double grad_norm_sum_ = 0;
  double learning_rate_ = 0;
  int64_t num_updates_ = 0;
  int64_t num_skipped_ = 0;
};

}  // namespace ponder
