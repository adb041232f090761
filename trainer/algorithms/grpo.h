// Group relative policy optimisation (Shao et al., "DeepSeekMath", 2024) with the settings of its
// descendants: clip-higher, token-mean (DAPO), no deviation and constant length (Dr. GRPO).
#pragma once

#include <memory>

#include "trainer/algorithms/algorithm.h"

namespace ponder {

// Advantages compare the answers to one prompt; the loss is the clipped objective over the sampled
// tokens, without a KL term.
// * A group whose rewards are all equal keeps its place: its tokens and sequences count in the
//   denominators, but its sequences become no examples, because their gradient is zero.
// * Each minibatch is a run of consecutive prompts, nearly equal in number, with denominators of
// its own.
// * With one update per step, the policy of the first forward is the policy at step start, so no
// old
//   log-probs are asked for; otherwise they are those of the trainer at step start.
// * With max_staleness > 0 the sampling policy may be older than the step: each token's loss is
// multiplied
//   by min(pi_old / mu, 2), without gradient (decoupled objective with truncated importance
//   weights).
// Every trajectory must have its verdicts scored; a refusal in a group is a bug of the caller.
// Copies what it needs of the context.
std::unique_ptr<Algorithm> MakeGrpo(const AlgorithmContext& context);

}  // namespace ponder
