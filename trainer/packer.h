// Cuts a minibatch into micro-batches for the ranks. The shift by one (the hidden state at t-1
// predicts token t) happens here and nowhere else.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "model/decoder.h"
#include "trainer/algorithms/algorithm.h"
#include "trainer/algorithms/example.h"

namespace ponder {

// Units of one forward and backward, as indices into a minibatch, ascending.
using MicroBatch = std::vector<size_t>;

// Which micro-batches each rank runs: the outer index is the rank. A pure function, alike on all
// ranks. Units go to the least loaded rank by descending cost a*len + b*len^2 (ties by position),
// then first-fit decreasing into micro-batches of at most `max_tokens`; a unit longer than that
// gets its own.
std::vector<std::vector<MicroBatch>> AssignMicroBatches(const Minibatch& minibatch, int num_ranks,
                                                        int64_t max_tokens);

// A micro-batch as tensors: the packed tokens and the M trained predictions among them.
struct PackedMicroBatch {
  PackedTokens tokens;
  at::Tensor rows;         // [M] int64: the packed position whose hidden state predicts the token
  at::Tensor targets;      // [M] int64
  at::Tensor temperature;  // [M]
  TokenStreams streams;    // [M] each
  // Behaviour log-probs are comparable to the trainer's own.
  bool has_behavior = false;
};

// Packs the chosen units; per-token arrays get `dtype`. Only tokens of non-zero weight are trained.
PackedMicroBatch Pack(const Minibatch& minibatch, const MicroBatch& units, at::ScalarType dtype);

}  // namespace ponder
