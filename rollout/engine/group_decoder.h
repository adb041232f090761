// Decodes one group: the G rows of one prompt as one batch of fixed shape, finished rows masked, so
// that the same lease gives the same tokens on any worker. The engine knows nothing of tokenizers,
// tasks or RPC.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "model/decoder.h"

namespace ponder {

// What the rows of a group need to know.
struct GroupRequest {
  uint64_t seed = 0;     // run seed
  uint64_t ordinal = 0;  // of the prompt: keys the draws
  std::vector<uint32_t> prompt;
  SamplingParams sampling;
  uint32_t eos_id = 0;
  uint64_t version = 0;  // of the weights, for the segments
};

// Called when row `row` ended a turn with its end token; `turn` is what it sampled since the prompt
// or the last observation, end token included. Returns the tokens to append as an observation
// before sampling goes on, or nothing when the row is finished.
using TurnCallback = std::function<std::optional<std::vector<uint32_t>>(
    uint32_t row, const std::vector<uint32_t>& turn)>;

// Called for every token that a row takes after the prompt, when it is taken. `logprob` is 0 for a
// token that was not sampled.
using TokenCallback =
    std::function<void(uint32_t row, uint32_t token, float logprob, SegmentKind kind)>;

// Owns scratch buffers; used by one thread. Borrows the decoder for the length of a call.
class GroupDecoder {
 public:
  // Trajectories in row order with token_ids, segments, behavior_logprobs, temperature (0 in the
  // greedy row) and finish_reason set; step_ends and rewards are empty. Draw for token position t
  // of row r: position t, sample r. `stop` is polled every step; when it returns true the result is
  // empty. `turn`, `stop` and `token` may be empty functions.
  //
  // A row stops with its end token, which is its last sampled token. It ends by length when it
  // sampled max_new_tokens, or reached max_total_tokens or the context; an observation that would
  // leave no room for a sampled token ends it too, and is not appended. A prompt without such room
  // gives rows without sampled tokens.
  //
  // Throws ProtocolError when a token of the prompt or of an observation, or the end token, is
  // outside the vocabulary, or the prompt is empty; Error(kDiverged) when the model's scores are
  // not finite.
  std::vector<Trajectory> Decode(const Decoder& decoder, const GroupRequest& request,
                                 const TurnCallback& turn, const std::function<bool()>& stop,
                                 const TokenCallback& token = {});
};

// One draw: tiles of kVocabularyTile logits, the tile picked by its share of the total mass, then
// the token inside the tile, from one uniform in [0, 1). Returns the token and its log-probability
// under softmax(logits / temperature) over the full vocabulary. temperature 0: the first largest
// logit, log-prob at 1. Throws Error(kDiverged) when the probabilities are not finite.
inline constexpr int64_t kVocabularyTile = 1024;
struct SampledToken {
  uint32_t token = 0;
  float logprob = 0;
};
SampledToken SampleToken(const float* logits, int64_t vocab_size, float temperature,
                         double uniform);

}  // namespace ponder
