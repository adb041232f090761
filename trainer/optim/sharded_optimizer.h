// One optimizer over all ranks: every rank keeps the state of its own range of the parameters
// (ZeRO stage 1: Rajbhandari et al., "ZeRO", SC 2020).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "model/parameters.h"
#include "trainer/comm/communicator.h"
#include "trainer/optim/adamw.h"

namespace ponder {

// What one update did, the same on every rank.
struct OptimizerStep {
  bool finite = true;    // false: gradient not finite, nothing was changed
  double grad_norm = 0;  // L2 norm of the whole gradient before clipping
};

// The bytes of one saved range, and where they came from for messages.
struct OptimizerShard {
  std::string path;
  std::string bytes;
};

// Owns master weights and moments of this rank's ShardOf() range of the canonical unpadded order,
// in the parameters' dtype. Borrows the parameters and the communicator. Used by the main thread;
// methods are collective unless they say otherwise.
class ShardedOptimizer {
 public:
  // Takes the weights as they are; moments are zero. Throws ConfigError on settings AdamW refuses.
  // Not collective.
  ShardedOptimizer(Parameters& parameters, Communicator& comm, const OptimizerConfig& config);

  // Sums the gradient over the ranks, scales it to norm config.max_grad_norm when it is longer (0:
  // never), updates the weights and gives every rank all of them. A non-finite gradient on any rank
  // changes nothing anywhere. The gradient is left as it is: the caller zeroes it.
  OptimizerStep Step(double learning_rate);

  // This rank's range as a safetensors file: exp_avg, exp_avg_sq, master, each [end - begin];
  // metadata begin, end, total and step (updates done), in decimal. Not collective.
  std::string SaveShard() const;

  // Restores from ranges saved by any number of ranks, then writes the weights into the parameters.
  // `shards` must cover this rank's range; what lies outside it is checked but not used. Throws
  // CheckpointError(kBadData), naming the file, when a file is malformed, belongs to another model
  // or dtype, overlaps another, differs from another in step, or when a range is missing; then the
  // state is as before on this rank.
  void LoadShards(std::span<const OptimizerShard> shards);

  // Updates done since the moments were zero; skipped ones do not count.
  int64_t num_updates() const { return adamw_.num_updates(); }
  ShardRange range() const { return range_; }

 private:
  // Gathers all ranks' master weights into the parameters.
  void PublishWeights();
  CommBuffer BufferOf(const at::Tensor& tensor) const;

  Parameters& parameters_;
  Communicator& comm_;
  const double max_grad_norm_;
  const uint64_t total_;
  const ShardRange range_;
  std::vector<uint64_t> counts_;  // elements of each rank
  AdamW adamw_;
};

}  // namespace ponder
