// What goes over the wire comes back equal, whatever it is.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/wire.h"
#include "tests/core/base/sample_messages.h"

namespace ponder {
namespace {

using ::ponder::testing::GoodIdentity;
using ::ponder::testing::GoodLease;
using ::ponder::testing::GoodTrajectory;
using ::ponder::testing::kVocabSize;

const WireLimits kLimits{.vocab_size = kVocabSize};

// Through the bytes of the message, as between two processes.
template <typename Message>
Message ThroughBytes(const Message& message) {
  Message copy;
  RC_ASSERT(copy.ParseFromString(message.SerializeAsString()));
  return copy;
}

// Printable: proto3 strings are UTF-8.
rc::Gen<std::string> Text() {
  return rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
}

rc::Gen<std::string> Name() { return rc::gen::nonEmpty(Text()); }

rc::Gen<std::vector<uint32_t>> Tokens() {
  return rc::gen::nonEmpty(
      rc::gen::container<std::vector<uint32_t>>(rc::gen::inRange<uint32_t>(0, kVocabSize)));
}

float Finite() { return static_cast<float>(*rc::gen::inRange(-1'000'000, 1'000'000)) / 1024; }

std::vector<float> FiniteValues(size_t count) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(Finite());
  return values;
}

ModelIdentity AnyIdentity() {
  ModelIdentity identity = GoodIdentity();
  identity.run_id = *Text();
  identity.attempt = *rc::gen::arbitrary<uint32_t>();
  identity.model = *Name();
  identity.version = *rc::gen::arbitrary<uint64_t>();
  for (char& digit : identity.digest) digit = *rc::gen::elementOf(std::string("0123456789abcdef"));
  return identity;
}

Prompt AnyPrompt() {
  Prompt prompt;
  prompt.ordinal = *rc::gen::arbitrary<uint64_t>();
  prompt.task = *Name();
  prompt.problem = *rc::gen::arbitrary<uint64_t>();
  prompt.token_ids = *Tokens();
  const int num_messages = *rc::gen::inRange(0, 4);
  for (int i = 0; i < num_messages; ++i) prompt.messages.push_back({*Text(), *Text()});
  prompt.reference_answer = *Text();
  const int num_entries = *rc::gen::inRange(0, 4);
  for (int i = 0; i < num_entries; ++i) prompt.metadata[*Text()] = *Text();
  return prompt;
}

SourceReward AnyReward(size_t num_steps, size_t num_tokens) {
  SourceReward reward;
  reward.source = *Name();
  reward.verdict = *rc::gen::element(VerdictKind::kScored, VerdictKind::kRefused,
                                     VerdictKind::kInfrastructureError);
  reward.value = static_cast<double>(Finite()) / 3;
  reward.weight = static_cast<double>(Finite()) / 7;
  reward.rule = *Text();
  if (*rc::gen::arbitrary<bool>()) reward.step_values = FiniteValues(num_steps);
  if (*rc::gen::arbitrary<bool>()) reward.token_values = FiniteValues(num_tokens);
  return reward;
}

// Positions in [0, num_tokens), increasing, each with the given chance in percent.
std::vector<uint32_t> AnyPositions(size_t num_tokens, int percent) {
  std::vector<uint32_t> positions;
  for (uint32_t t = 0; t < num_tokens; ++t) {
    if (*rc::gen::inRange(0, 100) < percent) positions.push_back(t);
  }
  return positions;
}

Trajectory AnyTrajectory() {
  Trajectory trajectory;
  trajectory.ordinal = *rc::gen::arbitrary<uint64_t>();
  trajectory.sample_index = *rc::gen::arbitrary<uint32_t>();
  trajectory.greedy = *rc::gen::arbitrary<bool>();
  trajectory.token_ids = *Tokens();
  const size_t num_tokens = trajectory.token_ids.size();
  const bool has_processed = *rc::gen::arbitrary<bool>();
  for (const uint32_t begin : AnyPositions(num_tokens, /*percent=*/30)) {
    trajectory.segments.push_back({begin, static_cast<SegmentKind>(*rc::gen::inRange(1, 5)),
                                   *rc::gen::arbitrary<uint64_t>()});
  }
  if (trajectory.segments.empty() || trajectory.segments[0].begin != 0) {
    trajectory.segments.insert(trajectory.segments.begin(), {0, SegmentKind::kPrompt, 1});
  }
  size_t segment = 0;
  for (uint32_t t = 0; t < num_tokens; ++t) {
    if (segment + 1 < trajectory.segments.size() && trajectory.segments[segment + 1].begin == t) {
      ++segment;
    }
    const bool sampled = trajectory.segments[segment].kind == SegmentKind::kSampled;
    trajectory.behavior_logprobs.push_back(sampled ? -std::fabs(Finite()) : 0.0F);
    if (has_processed) {
      trajectory.processed_logprobs.push_back(sampled ? -std::fabs(Finite()) : 0.0F);
    }
  }
  trajectory.temperature = std::fabs(Finite());
  trajectory.finish_reason = *rc::gen::element(FinishReason::kStop, FinishReason::kLength);
  trajectory.step_ends = AnyPositions(num_tokens, /*percent=*/20);
  const int num_rewards = *rc::gen::inRange(0, 3);
  for (int i = 0; i < num_rewards; ++i) {
    trajectory.rewards.push_back(AnyReward(trajectory.step_ends.size(), num_tokens));
  }
  return trajectory;
}

RC_GTEST_PROP(WireRoundTrip, KeepsATrajectory, ()) {
  const Trajectory trajectory = AnyTrajectory();
  RC_ASSERT(FromWire(ThroughBytes(ToWire(trajectory)), kLimits) == trajectory);
}

RC_GTEST_PROP(WireRoundTrip, KeepsALease, ()) {
  PromptLease lease;
  lease.lease_id = *rc::gen::arbitrary<uint64_t>();
  lease.try_number = *rc::gen::arbitrary<uint32_t>();
  lease.purpose = *rc::gen::element(LeasePurpose::kTrain, LeasePurpose::kEvaluate);
  lease.prompt = AnyPrompt();
  lease.sampling.num_samples = *rc::gen::inRange(1u, kLimits.max_samples + 1);
  lease.sampling.add_greedy = *rc::gen::arbitrary<bool>();
  lease.sampling.temperature = std::fabs(Finite()) + 0.125F;
  lease.sampling.max_new_tokens = *rc::gen::inRange(1u, kLimits.max_tokens + 1);
  lease.sampling.max_total_tokens = *rc::gen::inRange(0u, kLimits.max_tokens + 1);
  lease.model = AnyIdentity();
  lease.stage = *Text();
  lease.reward_set = *Text();
  lease.expires_in_ms = *rc::gen::arbitrary<uint64_t>();
  RC_ASSERT(FromWire(ThroughBytes(ToWire(lease)), kLimits) == lease);
}

TEST(WireRoundTrip, KeepsTheSamples) {
  EXPECT_EQ(FromWire(ToWire(GoodLease()), kLimits), GoodLease());
  EXPECT_EQ(FromWire(ToWire(GoodTrajectory(0)), kLimits), GoodTrajectory(0));
  EXPECT_EQ(FromWire(ToWire(GoodTrajectory(1)), kLimits), GoodTrajectory(1));
}

TEST(WireRoundTrip, KeepsEveryVerdictAndFinishReason) {
  for (const VerdictKind kind :
       {VerdictKind::kScored, VerdictKind::kRefused, VerdictKind::kInfrastructureError}) {
    EXPECT_EQ(FromWire(ToWire(kind)), kind);
  }
  for (const FinishReason reason : {FinishReason::kStop, FinishReason::kLength}) {
    EXPECT_EQ(FromWire(ToWire(reason)), reason);
  }
  // The numbers of the messages are the numbers of the enumerations.
  EXPECT_EQ(ToWire(VerdictKind::kRefused), v1::VERDICT_KIND_REFUSED);
  EXPECT_EQ(ToWire(FinishReason::kLength), v1::FINISH_REASON_LENGTH);
}

// Whatever bytes arrive: a value that passed all checks, or ProtocolError.
RC_GTEST_PROP(WireNoise, IsRefusedOrPassesAllChecks, (const std::string& noise)) {
  std::string bytes = ToWire(GoodTrajectory(0)).SerializeAsString();
  const auto at = *rc::gen::inRange<size_t>(0, bytes.size());
  bytes.replace(at, noise.size(), noise);
  v1::Trajectory message;
  if (!message.ParseFromString(bytes)) return;
  try {
    const Trajectory trajectory = FromWire(message, kLimits);
    RC_ASSERT(trajectory.behavior_logprobs.size() == trajectory.token_ids.size());
    for (const uint32_t id : trajectory.token_ids) RC_ASSERT(id < kVocabSize);
  } catch (const ProtocolError&) {
  }
}

}  // namespace
}  // namespace ponder
