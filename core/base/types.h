// The plain types that travel between programs. core/base/wire.h converts them to messages and
// back.
//
// Letters used everywhere: B sequences, T positions, V vocabulary, D width, L layers, H query
// heads, K key/value heads, G samples per prompt, N tokens of one sequence. Index t of every
// per-token array describes token_ids[t]; the shift by one happens in the packer only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ponder {

// Names one published state of one model. (attempt, version) is unique within a run; `version`
// grows by one per publish over all stages and continues from the checkpoint after a restart.
struct ModelIdentity {
  std::string run_id;
  uint32_t attempt = 0;
  std::string model;  // "policy"
  uint64_t version = 0;
  std::string digest;  // SHA-256 of the flat buffer, 64 lower-case hex digits
  bool operator==(const ModelIdentity&) const = default;
};

enum class LeasePurpose : uint8_t { kTrain = 1, kEvaluate = 2 };

// One message of a conversation.
struct Message {
  std::string role;  // "user", "assistant", "system", "tool"
  std::string content;
  bool operator==(const Message&) const = default;
};

// A problem as the stream yields it. Rank 0 renders and encodes it, once.
struct Prompt {
  uint64_t ordinal = 0;  // Ordinal::Pack(): position in the stream, never reused
  std::string task;      // name of the task in the experiment
  uint64_t problem = 0;  // the task's own index of the problem
  std::vector<uint32_t> token_ids;
  std::vector<Message> messages;
  std::string reference_answer;
  std::map<std::string, std::string> metadata;
  bool operator==(const Prompt&) const = default;
};

struct SamplingParams {
  uint32_t num_samples = 1;       // G rows sampled at `temperature`
  bool add_greedy = false;        // one more row, index G, decoded at temperature 0
  float temperature = 1.0F;       // > 0
  uint32_t max_new_tokens = 64;   // sampled tokens
  uint32_t max_total_tokens = 0;  // prompt, sampled and observed; 0: the model's context
  uint32_t num_rows() const { return num_samples + (add_greedy ? 1 : 0); }
  bool operator==(const SamplingParams&) const = default;
};

struct PromptLease {
  uint64_t lease_id = 0;
  uint32_t try_number = 0;  // 0 for the first try; grows when the prompt is leased again
  LeasePurpose purpose = LeasePurpose::kTrain;
  Prompt prompt;
  SamplingParams sampling;
  ModelIdentity model;         // exactly the model to sample with
  std::string stage;           // name of the stage
  std::string reward_set;      // which sources score the group: "stage/NAME" or "evaluation/NAME"
  uint64_t expires_in_ms = 0;  // from the moment of sending
  bool operator==(const PromptLease&) const = default;
};

enum class SegmentKind : uint8_t { kPrompt = 1, kSampled = 2, kObservation = 3, kForced = 4 };

// Tokens [begin, next segment's begin) of a sequence. Loss masks are derived from segments.
struct Segment {
  uint32_t begin = 0;
  SegmentKind kind = SegmentKind::kPrompt;
  uint64_t version = 0;  // the model version that produced them
  bool operator==(const Segment&) const = default;
};

enum class FinishReason : uint8_t { kStop = 1, kLength = 2 };

// What a reward source says of one answer. What the answer causes is kScored (0 with its rule);
// what the gold causes is kRefused; what the infrastructure causes is kInfrastructureError. Neither
// of the last two ever becomes a score of 0.
enum class VerdictKind : uint8_t { kScored = 1, kRefused = 2, kInfrastructureError = 3 };

struct SourceReward {
  std::string source;  // name of the source in the experiment
  VerdictKind verdict = VerdictKind::kScored;
  double value = 0;  // unweighted; finite
  double weight = 1;
  std::string rule;                 // the rule that decided, e.g. "equal", "no answer", "hedged"
  std::vector<float> step_values;   // one per step end, or empty
  std::vector<float> token_values;  // [N], or empty
  bool operator==(const SourceReward&) const = default;
};

struct Trajectory {
  uint64_t ordinal = 0;
  uint32_t sample_index = 0;
  bool greedy = false;                    // decoded at temperature 0: never trained on
  std::vector<uint32_t> token_ids;        // [N]
  std::vector<Segment> segments;          // begins at 0, strictly increasing
  std::vector<float> behavior_logprobs;   // [N], exactly 0 where not sampled
  std::vector<float> processed_logprobs;  // empty, or [N] when a processor changed the distribution
  float temperature = 1.0F;
  FinishReason finish_reason = FinishReason::kStop;
  std::vector<uint32_t> step_ends;  // positions of step delimiters, increasing
  std::vector<SourceReward> rewards;
  bool operator==(const Trajectory&) const = default;

  // Sum over sources of weight * value.
  double TotalReward() const;
  // Tokens whose segment is kSampled.
  uint32_t NumSampledTokens() const;
};

// The answers to one lease: G (+1) trajectories, or none with the reason why.
struct TrajectoryGroup {
  PromptLease lease;
  std::vector<Trajectory> trajectories;
  VerdictKind outcome = VerdictKind::kScored;  // of the group as a whole
  std::string reason;                          // empty when kScored
  // Outside the trajectories' digest: who made it and how long it took.
  std::string worker;
  double generate_s = 0;
  double score_s = 0;
};

// SHA-256 over everything of the trajectories that training or metrics can see (not worker, not
// latencies, not the lease's try), as 64 hex digits.
std::string DigestOf(const std::vector<Trajectory>& trajectories);

}  // namespace ponder
