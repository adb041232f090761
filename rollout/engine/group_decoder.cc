#include "rollout/engine/group_decoder.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

void CheckTokens(const std::vector<uint32_t>& tokens, int64_t vocab_size, const char* what) {
  for (const uint32_t token : tokens) {
    if (token < vocab_size) continue;
    throw ProtocolError(std::string("decoding a group: expected ") + what +
                        " inside the vocabulary of " + std::to_string(vocab_size) + ", got token " +
                        std::to_string(token));
  }
}

struct Limits {
  size_t max_new = 0;    // sampled tokens
  size_t max_total = 0;  // all tokens
};

// One row of the batch: its trajectory so far and what it does next.
class Row {
 public:
  Row(const GroupRequest& request, uint32_t index, const Limits& limits, const TokenCallback& token)
      : request_(request),
        limits_(limits),
        token_(token),
        draws_(request.seed, RandomPurpose::kSampling, request.ordinal, index) {
    trajectory_.ordinal = request.ordinal;
    trajectory_.sample_index = index;
    trajectory_.greedy = index == request.sampling.num_samples;
    trajectory_.temperature = trajectory_.greedy ? 0.0F : request.sampling.temperature;
    trajectory_.token_ids = request.prompt;
    trajectory_.behavior_logprobs.assign(request.prompt.size(), 0.0F);
    trajectory_.segments.push_back({0, SegmentKind::kPrompt, request.version});
    FinishIfFull();
  }

  bool finished() const { return finished_; }

  // The token to feed next: a forced one, a sampled one, or the end token once finished (its result
  // is ignored, but the batch keeps its shape).
  uint32_t Advance(const float* logits, int64_t vocab_size, const TurnCallback& turn) {
    if (finished_) return request_.eos_id;
    if (next_forced_ < observation_.size()) {
      Append(observation_[next_forced_++], 0.0F, SegmentKind::kObservation);
    } else {
      Sample(logits, vocab_size, turn);
    }
    return trajectory_.token_ids.back();
  }

  Trajectory Take() { return std::move(trajectory_); }

 private:
  void Append(uint32_t token, float logprob, SegmentKind kind) {
    const auto begin = static_cast<uint32_t>(trajectory_.token_ids.size());
    if (trajectory_.segments.back().kind != kind) {
      trajectory_.segments.push_back({begin, kind, request_.version});
    }
    trajectory_.token_ids.push_back(token);
    trajectory_.behavior_logprobs.push_back(logprob);
    if (token_) token_(trajectory_.sample_index, token, logprob, kind);
  }

  void Sample(const float* logits, int64_t vocab_size, const TurnCallback& turn) {
    const auto position = static_cast<uint32_t>(trajectory_.token_ids.size());
    const double uniform = trajectory_.greedy ? 0.0 : draws_.Uniform(position);
    const SampledToken sampled = SampleToken(logits, vocab_size, trajectory_.temperature, uniform);
    Append(sampled.token, sampled.logprob, SegmentKind::kSampled);
    turn_.push_back(sampled.token);
    ++num_sampled_;
    if (sampled.token == request_.eos_id) {
      EndTurn(vocab_size, turn);
    } else {
      FinishIfFull();
    }
  }

  void EndTurn(int64_t vocab_size, const TurnCallback& turn) {
    auto observation = turn ? turn(trajectory_.sample_index, turn_) : std::nullopt;
    turn_.clear();
    if (!observation) {
      Finish(FinishReason::kStop);
      return;
    }
    CheckTokens(*observation, vocab_size, "an observation");
    observation_ = std::move(*observation);
    next_forced_ = 0;
    FinishIfFull();
  }

  // Ends the row unless one more token can be sampled after the pending observation.
  void FinishIfFull() {
    if (num_sampled_ >= limits_.max_new ||
        trajectory_.token_ids.size() + observation_.size() - next_forced_ >= limits_.max_total) {
      Finish(FinishReason::kLength);
    }
  }

  void Finish(FinishReason reason) {
    finished_ = true;
    trajectory_.finish_reason = reason;
  }

  const GroupRequest& request_;
  const Limits limits_;
  const TokenCallback& token_;
  const RandomStream draws_;
  Trajectory trajectory_;
  std::vector<uint32_t> turn_;         // sampled since the last observation
  std::vector<uint32_t> observation_;  // tokens from next_forced_ on are still to be fed
  size_t next_forced_ = 0;
  size_t num_sampled_ = 0;
  bool finished_ = false;
};

Limits LimitsOf(const GroupRequest& request, const DecoderConfig& config) {
  const auto context = static_cast<size_t>(config.max_positions);
  const size_t asked = request.sampling.max_total_tokens;
  return {.max_new = request.sampling.max_new_tokens,
          .max_total = asked == 0 ? context : std::min(asked, context)};
}

void CheckRequest(const GroupRequest& request, const DecoderConfig& config) {
  if (request.prompt.empty() || request.sampling.num_rows() == 0) {
    throw ProtocolError("decoding a group: expected a prompt and at least one row, got " +
                        std::to_string(request.prompt.size()) + " tokens and " +
                        std::to_string(request.sampling.num_rows()) + " rows");
  }
  CheckTokens(request.prompt, config.vocab_size, "the prompt");
  CheckTokens({request.eos_id}, config.vocab_size, "the end token");
}

}  // namespace

std::vector<Trajectory> GroupDecoder::Decode(const Decoder& decoder, const GroupRequest& request,
                                             const TurnCallback& turn,
                                             const std::function<bool()>& stop,
                                             const TokenCallback& token) {
  const c10::NoGradGuard no_grad;
  const DecoderConfig& config = decoder.config();
  CheckRequest(request, config);
  const Limits limits = LimitsOf(request, config);
  std::vector<Row> rows;
  for (uint32_t i = 0; i < request.sampling.num_rows(); ++i) {
    rows.emplace_back(request, i, limits, token);
  }
  const auto num_rows = static_cast<int64_t>(rows.size());
  const auto all_finished = [&] {
    return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.finished(); });
  };

  if (!all_finished()) {
    (void)PONDER_FAILPOINT("rollout.prefill");
    // Without observations a row never grows beyond prompt + max_new.
    const size_t capacity =
        turn ? limits.max_total
             : std::min(limits.max_total, request.prompt.size() + limits.max_new);
    KvCache cache(config, decoder.dtype(), num_rows, static_cast<int64_t>(capacity));
    // All rows choose their first token from the one distribution behind the shared prompt.
    at::Tensor logits = decoder.Logits(decoder.Prefill(request.prompt, cache)).to(at::kFloat);
    int64_t row_stride = 0;
    at::Tensor token_ids = at::empty({num_rows}, at::kLong);
    while (true) {
      if (stop && stop()) return {};
      (void)PONDER_FAILPOINT("rollout.decode");
      const float* scores = logits.const_data_ptr<float>();
      for (int64_t r = 0; r < num_rows; ++r) {
        token_ids.mutable_data_ptr<int64_t>()[r] =
            rows[r].Advance(scores + r * row_stride, config.vocab_size, turn);
      }
      if (all_finished()) break;
      logits = decoder.Logits(decoder.Step(token_ids, cache)).to(at::kFloat);
      row_stride = config.vocab_size;
    }
  }

  std::vector<Trajectory> trajectories;
  for (Row& row : rows) trajectories.push_back(row.Take());
  return trajectories;
}

}  // namespace ponder
