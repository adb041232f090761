#include "core/base/wire.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace ponder {
namespace {

[[noreturn]] void Refuse(const std::string& field, const std::string& expected,
                         const std::string& got) {
  throw ProtocolError(field + ": expected " + expected + ", got " + got);
}

template <typename T>
void CheckFinite(T value, const std::string& field) {
  if (!std::isfinite(value)) Refuse(field, "a finite number", std::to_string(value));
}

// `unit`: what has one entry each, "token" or "step end".
void CheckLength(int length, size_t expected, const std::string& unit, const std::string& field) {
  if (static_cast<size_t>(length) != expected) {
    Refuse(field, std::to_string(expected) + " entries, one per " + unit, std::to_string(length));
  }
}

void CheckTokens(const google::protobuf::RepeatedField<uint32_t>& ids, const WireLimits& limits,
                 const std::string& field) {
  if (ids.empty()) Refuse(field, "at least one token", "none");
  if (static_cast<uint32_t>(ids.size()) > limits.max_tokens) {
    Refuse(field, "at most " + std::to_string(limits.max_tokens) + " tokens",
           std::to_string(ids.size()));
  }
  if (limits.vocab_size == 0) return;
  for (int t = 0; t < ids.size(); ++t) {
    if (ids[t] >= limits.vocab_size) {
      Refuse(field + "[" + std::to_string(t) + "]",
             "a token below the vocabulary size " + std::to_string(limits.vocab_size),
             std::to_string(ids[t]));
    }
  }
}

template <typename T, typename Repeated>
std::vector<T> ToVector(const Repeated& values) {
  return std::vector<T>(values.begin(), values.end());
}

v1::LeasePurpose ToWire(LeasePurpose value) {
  return value == LeasePurpose::kTrain ? v1::LEASE_PURPOSE_TRAIN : v1::LEASE_PURPOSE_EVALUATE;
}

LeasePurpose FromWire(v1::LeasePurpose value) {
  switch (value) {
    case v1::LEASE_PURPOSE_TRAIN:
      return LeasePurpose::kTrain;
    case v1::LEASE_PURPOSE_EVALUATE:
      return LeasePurpose::kEvaluate;
    default:
      Refuse("PromptLease.purpose", "train or evaluate", std::to_string(value));
  }
}

v1::SegmentKind ToWire(SegmentKind value) { return static_cast<v1::SegmentKind>(value); }

SegmentKind FromWire(v1::SegmentKind value) {
  if (value < v1::SEGMENT_KIND_PROMPT || value > v1::SEGMENT_KIND_FORCED) {
    Refuse("Segment.kind", "1 to 4", std::to_string(value));
  }
  return static_cast<SegmentKind>(value);
}

void CheckSegments(const v1::Trajectory& message) {
  const std::string field = "Trajectory.segments";
  if (message.segments().empty()) Refuse(field, "at least one", "none");
  for (int i = 0; i < message.segments_size(); ++i) {
    const uint32_t begin = message.segments(i).begin();
    const std::string name = field + "[" + std::to_string(i) + "].begin";
    if (i == 0 && begin != 0) Refuse(name, "0", std::to_string(begin));
    if (i > 0 && begin <= message.segments(i - 1).begin()) {
      Refuse(name, "more than " + std::to_string(message.segments(i - 1).begin()),
             std::to_string(begin));
    }
    if (begin >= static_cast<uint32_t>(message.token_ids_size())) {
      Refuse(name, "less than the number of tokens " + std::to_string(message.token_ids_size()),
             std::to_string(begin));
    }
  }
}

// Log-probs are finite, at most 0, and exactly 0 where the policy did not sample.
void CheckLogprobs(const v1::Trajectory& message,
                   const google::protobuf::RepeatedField<float>& logprobs,
                   const std::string& field) {
  CheckLength(logprobs.size(), static_cast<size_t>(message.token_ids_size()), "token", field);
  int segment = 0;
  for (int t = 0; t < logprobs.size(); ++t) {
    while (segment + 1 < message.segments_size() &&
           message.segments(segment + 1).begin() <= static_cast<uint32_t>(t)) {
      ++segment;
    }
    const std::string name = field + "[" + std::to_string(t) + "]";
    const float value = logprobs[t];
    CheckFinite(value, name);
    if (value > 0) Refuse(name, "at most 0", std::to_string(value));
    if (message.segments(segment).kind() != v1::SEGMENT_KIND_SAMPLED && value != 0) {
      Refuse(name, "exactly 0 for a token that was not sampled", std::to_string(value));
    }
  }
}

}  // namespace

v1::VerdictKind ToWire(VerdictKind value) { return static_cast<v1::VerdictKind>(value); }

VerdictKind FromWire(v1::VerdictKind value) {
  if (value < v1::VERDICT_KIND_SCORED || value > v1::VERDICT_KIND_INFRASTRUCTURE_ERROR) {
    Refuse("VerdictKind", "1 to 3", std::to_string(value));
  }
  return static_cast<VerdictKind>(value);
}

v1::FinishReason ToWire(FinishReason value) { return static_cast<v1::FinishReason>(value); }

FinishReason FromWire(v1::FinishReason value) {
  if (value < v1::FINISH_REASON_STOP || value > v1::FINISH_REASON_LENGTH) {
    Refuse("FinishReason", "1 or 2", std::to_string(value));
  }
  return static_cast<FinishReason>(value);
}

v1::ModelIdentity ToWire(const ModelIdentity& value) {
  v1::ModelIdentity message;
  message.set_run_id(value.run_id);
  message.set_attempt(value.attempt);
  message.set_model(value.model);
  message.set_version(value.version);
  message.set_digest(value.digest);
  return message;
}

ModelIdentity FromWire(const v1::ModelIdentity& message) {
  const std::string& digest = message.digest();
  const bool hex = std::all_of(digest.begin(), digest.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (digest.size() != 64 || !hex) {
    Refuse("ModelIdentity.digest", "64 lower-case hex digits", "'" + digest.substr(0, 80) + "'");
  }
  if (message.model().empty()) Refuse("ModelIdentity.model", "a name", "nothing");
  return {message.run_id(), message.attempt(), message.model(), message.version(), digest};
}

v1::Prompt ToWire(const Prompt& value) {
  v1::Prompt message;
  message.set_ordinal(value.ordinal);
  message.set_task(value.task);
  message.set_problem(value.problem);
  message.mutable_token_ids()->Assign(value.token_ids.begin(), value.token_ids.end());
  for (const Message& part : value.messages) {
    v1::Message* added = message.add_messages();
    added->set_role(part.role);
    added->set_content(part.content);
  }
  message.set_reference_answer(value.reference_answer);
  message.mutable_metadata()->insert(value.metadata.begin(), value.metadata.end());
  return message;
}

Prompt FromWire(const v1::Prompt& message, const WireLimits& limits) {
  CheckTokens(message.token_ids(), limits, "Prompt.token_ids");
  if (message.task().empty()) Refuse("Prompt.task", "a name", "nothing");
  Prompt value;
  value.ordinal = message.ordinal();
  value.task = message.task();
  value.problem = message.problem();
  value.token_ids = ToVector<uint32_t>(message.token_ids());
  for (const v1::Message& part : message.messages()) {
    value.messages.push_back({part.role(), part.content()});
  }
  value.reference_answer = message.reference_answer();
  value.metadata.insert(message.metadata().begin(), message.metadata().end());
  return value;
}

v1::SamplingParams ToWire(const SamplingParams& value) {
  v1::SamplingParams message;
  message.set_num_samples(value.num_samples);
  message.set_add_greedy(value.add_greedy);
  message.set_temperature(value.temperature);
  message.set_max_new_tokens(value.max_new_tokens);
  message.set_max_total_tokens(value.max_total_tokens);
  return message;
}

SamplingParams FromWire(const v1::SamplingParams& message, const WireLimits& limits) {
  if (message.num_samples() < 1 || message.num_samples() > limits.max_samples) {
    Refuse("SamplingParams.num_samples", "1 to " + std::to_string(limits.max_samples),
           std::to_string(message.num_samples()));
  }
  CheckFinite(message.temperature(), "SamplingParams.temperature");
  if (message.temperature() <= 0) {
    Refuse("SamplingParams.temperature", "more than 0", std::to_string(message.temperature()));
  }
  if (message.max_new_tokens() < 1 || message.max_new_tokens() > limits.max_tokens) {
    Refuse("SamplingParams.max_new_tokens", "1 to " + std::to_string(limits.max_tokens),
           std::to_string(message.max_new_tokens()));
  }
  if (message.max_total_tokens() > limits.max_tokens) {
    Refuse("SamplingParams.max_total_tokens", "at most " + std::to_string(limits.max_tokens),
           std::to_string(message.max_total_tokens()));
  }
  return {message.num_samples(), message.add_greedy(), message.temperature(),
          message.max_new_tokens(), message.max_total_tokens()};
}

v1::PromptLease ToWire(const PromptLease& value) {
  v1::PromptLease message;
  message.set_lease_id(value.lease_id);
  message.set_try_number(value.try_number);
  message.set_purpose(ToWire(value.purpose));
  *message.mutable_prompt() = ToWire(value.prompt);
  *message.mutable_sampling() = ToWire(value.sampling);
  *message.mutable_model() = ToWire(value.model);
  message.set_stage(value.stage);
  message.set_reward_set(value.reward_set);
  message.set_expires_in_ms(value.expires_in_ms);
  return message;
}

PromptLease FromWire(const v1::PromptLease& message, const WireLimits& limits) {
  PromptLease value;
  value.lease_id = message.lease_id();
  value.try_number = message.try_number();
  value.purpose = FromWire(message.purpose());
  value.prompt = FromWire(message.prompt(), limits);
  value.sampling = FromWire(message.sampling(), limits);
  value.model = FromWire(message.model());
  value.stage = message.stage();
  value.reward_set = message.reward_set();
  value.expires_in_ms = message.expires_in_ms();
  return value;
}

v1::SourceReward ToWire(const SourceReward& value) {
  v1::SourceReward message;
  message.set_source(value.source);
  message.set_verdict(ToWire(value.verdict));
  message.set_value(value.value);
  message.set_weight(value.weight);
  message.set_rule(value.rule);
  message.mutable_step_values()->Assign(value.step_values.begin(), value.step_values.end());
  message.mutable_token_values()->Assign(value.token_values.begin(), value.token_values.end());
  return message;
}

SourceReward FromWire(const v1::SourceReward& message) {
  if (message.source().empty()) Refuse("SourceReward.source", "a name", "nothing");
  CheckFinite(message.value(), "SourceReward.value of source '" + message.source() + "'");
  CheckFinite(message.weight(), "SourceReward.weight of source '" + message.source() + "'");
  for (const float value : message.step_values()) CheckFinite(value, "SourceReward.step_values");
  for (const float value : message.token_values()) CheckFinite(value, "SourceReward.token_values");
  SourceReward value;
  value.source = message.source();
  value.verdict = FromWire(message.verdict());
  value.value = message.value();
  value.weight = message.weight();
  value.rule = message.rule();
  value.step_values = ToVector<float>(message.step_values());
  value.token_values = ToVector<float>(message.token_values());
  return value;
}

v1::Trajectory ToWire(const Trajectory& value) {
  v1::Trajectory message;
  message.set_ordinal(value.ordinal);
  message.set_sample_index(value.sample_index);
  message.set_greedy(value.greedy);
  message.mutable_token_ids()->Assign(value.token_ids.begin(), value.token_ids.end());
  for (const Segment& segment : value.segments) {
    v1::Segment* added = message.add_segments();
    added->set_begin(segment.begin);
    added->set_kind(ToWire(segment.kind));
    added->set_version(segment.version);
  }
  message.mutable_behavior_logprobs()->Assign(value.behavior_logprobs.begin(),
                                              value.behavior_logprobs.end());
  message.mutable_processed_logprobs()->Assign(value.processed_logprobs.begin(),
                                               value.processed_logprobs.end());
  message.set_temperature(value.temperature);
  message.set_finish_reason(ToWire(value.finish_reason));
  message.mutable_step_ends()->Assign(value.step_ends.begin(), value.step_ends.end());
  for (const SourceReward& reward : value.rewards) *message.add_rewards() = ToWire(reward);
  return message;
}

Trajectory FromWire(const v1::Trajectory& message, const WireLimits& limits) {
  CheckTokens(message.token_ids(), limits, "Trajectory.token_ids");
  const auto num_tokens = static_cast<size_t>(message.token_ids_size());
  CheckSegments(message);
  CheckLogprobs(message, message.behavior_logprobs(), "Trajectory.behavior_logprobs");
  if (!message.processed_logprobs().empty()) {
    CheckLogprobs(message, message.processed_logprobs(), "Trajectory.processed_logprobs");
  }
  CheckFinite(message.temperature(), "Trajectory.temperature");
  if (message.temperature() < 0) {
    Refuse("Trajectory.temperature", "at least 0", std::to_string(message.temperature()));
  }
  for (int i = 0; i < message.step_ends_size(); ++i) {
    const bool grows = i == 0 || message.step_ends(i) > message.step_ends(i - 1);
    if (!grows || message.step_ends(i) >= num_tokens) {
      Refuse("Trajectory.step_ends[" + std::to_string(i) + "]",
             "increasing positions below " + std::to_string(num_tokens),
             std::to_string(message.step_ends(i)));
    }
  }
  Trajectory value;
  value.ordinal = message.ordinal();
  value.sample_index = message.sample_index();
  value.greedy = message.greedy();
  value.token_ids = ToVector<uint32_t>(message.token_ids());
  for (const v1::Segment& segment : message.segments()) {
    value.segments.push_back({segment.begin(), FromWire(segment.kind()), segment.version()});
  }
  value.behavior_logprobs = ToVector<float>(message.behavior_logprobs());
  value.processed_logprobs = ToVector<float>(message.processed_logprobs());
  value.temperature = message.temperature();
  value.finish_reason = FromWire(message.finish_reason());
  value.step_ends = ToVector<uint32_t>(message.step_ends());
  for (const v1::SourceReward& reward : message.rewards()) {
    value.rewards.push_back(FromWire(reward));
    const SourceReward& added = value.rewards.back();
    if (!added.token_values.empty()) {
      CheckLength(reward.token_values_size(), num_tokens, "token", "SourceReward.token_values");
    }
    if (!added.step_values.empty()) {
      CheckLength(reward.step_values_size(), value.step_ends.size(), "step end",
                  "SourceReward.step_values");
    }
  }
  return value;
}

void CheckGroupAgainstLease(const TrajectoryGroup& group, std::span<const RewardTerm> terms) {
  const PromptLease& lease = group.lease;
  if (group.outcome != VerdictKind::kScored) {
    if (!group.trajectories.empty()) {
      Refuse("SubmitGroup", "no trajectories with a failed outcome",
             std::to_string(group.trajectories.size()));
    }
    return;
  }
  if (group.trajectories.size() != lease.sampling.num_rows()) {
    Refuse("SubmitGroup", std::to_string(lease.sampling.num_rows()) + " trajectories",
           std::to_string(group.trajectories.size()));
  }
  const std::vector<uint32_t>& prompt = lease.prompt.token_ids;
  for (size_t row = 0; row < group.trajectories.size(); ++row) {
    const Trajectory& trajectory = group.trajectories[row];
    const std::string name = "Trajectory " + std::to_string(row);
    if (trajectory.ordinal != lease.prompt.ordinal) {
      Refuse(name + ".ordinal", std::to_string(lease.prompt.ordinal),
             std::to_string(trajectory.ordinal));
    }
    if (trajectory.sample_index != row) {
      Refuse(name + ".sample_index", std::to_string(row), std::to_string(trajectory.sample_index));
    }
    if (trajectory.greedy != (row == lease.sampling.num_samples)) {
      Refuse(name + ".greedy", row == lease.sampling.num_samples ? "true" : "false",
             trajectory.greedy ? "true" : "false");
    }
    const float temperature = trajectory.greedy ? 0.0F : lease.sampling.temperature;
    if (trajectory.temperature != temperature) {
      Refuse(name + ".temperature", std::to_string(temperature),
             std::to_string(trajectory.temperature));
    }
    if (trajectory.token_ids.size() < prompt.size() ||
        !std::equal(prompt.begin(), prompt.end(), trajectory.token_ids.begin())) {
      Refuse(name + ".token_ids", "the prompt of the lease first", "other tokens");
    }
    const size_t prompt_end =
        trajectory.segments.size() > 1 ? trajectory.segments[1].begin : trajectory.token_ids.size();
    if (trajectory.segments.front().kind != SegmentKind::kPrompt || prompt_end != prompt.size()) {
      Refuse(name + ".segments",
             "a prompt segment of " + std::to_string(prompt.size()) + " tokens first",
             "another division");
    }
    for (const Segment& segment : trajectory.segments) {
      if (segment.kind == SegmentKind::kSampled && segment.version != lease.model.version) {
        Refuse(name + ".segments.version", std::to_string(lease.model.version),
               std::to_string(segment.version));
      }
    }
    const uint32_t num_sampled = trajectory.NumSampledTokens();
    if (num_sampled < 1 || num_sampled > lease.sampling.max_new_tokens) {
      Refuse(name + ".segments",
             "1 to " + std::to_string(lease.sampling.max_new_tokens) + " sampled tokens",
             std::to_string(num_sampled));
    }
    const uint32_t max_total = lease.sampling.max_total_tokens;
    if (max_total > 0 && trajectory.token_ids.size() > max_total) {
      Refuse(name + ".token_ids", "at most " + std::to_string(max_total) + " tokens",
             std::to_string(trajectory.token_ids.size()));
    }
    if (trajectory.rewards.size() != terms.size()) {
      Refuse(name + ".rewards", std::to_string(terms.size()) + " sources",
             std::to_string(trajectory.rewards.size()));
    }
    for (size_t i = 0; i < terms.size(); ++i) {
      const SourceReward& reward = trajectory.rewards[i];
      if (reward.source != terms[i].source || reward.weight != terms[i].weight) {
        Refuse(name + ".rewards",
               "source '" + terms[i].source + "' of weight " + std::to_string(terms[i].weight),
               "'" + reward.source + "' of weight " + std::to_string(reward.weight));
      }
      if (reward.verdict != VerdictKind::kScored) {
        Refuse(name + ".rewards", "scored sources only in a scored group",
               "source '" + reward.source + "'");
      }
    }
    CheckFinite(trajectory.TotalReward(), name + ".rewards, weighted and summed");
  }
}

}  // namespace ponder
