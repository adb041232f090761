// Messages that lie about themselves, one field at a time.
#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "core/base/error.h"
#include "core/base/wire.h"
#include "tests/core/base/sample_messages.h"

namespace ponder {
namespace {

using ::ponder::testing::GoodGroup;
using ::ponder::testing::GoodLease;
using ::ponder::testing::GoodTrajectory;
using ::ponder::testing::kVocabSize;
using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// The reward set of GoodLease.
const std::vector<RewardTerm> kTerms = {{"answer", 0.5}};
const WireLimits kLimits{.vocab_size = kVocabSize, .max_tokens = 100, .max_samples = 8};

template <typename Message>
struct Lie {
  const char* name;
  std::function<void(Message&)> tell;
  std::vector<std::string> parts;  // of the text: field, expected, got
};

// Expects that `read` refuses each lie with ProtocolError, and accepts the message without one.
template <typename Message, typename Read>
void ExpectRefusals(const Message& good, const std::vector<Lie<Message>>& lies, const Read& read) {
  ASSERT_NO_THROW(read(good));
  for (const Lie<Message>& lie : lies) {
    Message message = good;
    lie.tell(message);
    try {
      read(message);
      ADD_FAILURE() << lie.name << ": accepted";
    } catch (const ProtocolError& error) {
      EXPECT_THAT(error.what(), HasSubstr("expected ")) << lie.name;
      for (const std::string& part : lie.parts)
        EXPECT_THAT(error.what(), HasSubstr(part)) << lie.name;
    }
  }
}

TEST(WireRefusal, OfTrajectories) {
  using T = v1::Trajectory;
  const std::vector<Lie<T>> lies{
      {"no tokens", [](T& m) { m.clear_token_ids(); }, {"Trajectory.token_ids", "none"}},
      {"a token beyond the vocabulary",
       [](T& m) { m.set_token_ids(4, kVocabSize); },
       {"Trajectory.token_ids[4]", "below the vocabulary size 21", "got 21"}},
      {"too many tokens",
       [](T& m) { m.mutable_token_ids()->Resize(101, 1); },
       {"Trajectory.token_ids", "at most 100 tokens", "got 101"}},
      {"no segments", [](T& m) { m.clear_segments(); }, {"Trajectory.segments", "none"}},
      {"a first segment that begins late",
       [](T& m) { m.mutable_segments(0)->set_begin(1); },
       {"segments[0].begin", "expected 0", "got 1"}},
      {"segments that do not grow",
       [](T& m) { m.mutable_segments(2)->set_begin(3); },
       {"segments[2].begin", "more than 3", "got 3"}},
      {"a segment beyond the end",
       [](T& m) { m.mutable_segments(3)->set_begin(7); },
       {"segments[3].begin", "less than the number of tokens 7", "got 7"}},
      {"a segment without kind",
       [](T& m) { m.mutable_segments(0)->set_kind(v1::SEGMENT_KIND_UNSPECIFIED); },
       {"Segment.kind", "got 0"}},
      {"a segment of unknown kind",
       [](T& m) { m.mutable_segments(0)->set_kind(static_cast<v1::SegmentKind>(9)); },
       {"Segment.kind", "got 9"}},
      {"fewer log-probs than tokens",
       [](T& m) { m.mutable_behavior_logprobs()->RemoveLast(); },
       {"Trajectory.behavior_logprobs", "7 entries, one per token", "got 6"}},
      {"no log-probs", [](T& m) { m.clear_behavior_logprobs(); }, {"behavior_logprobs", "got 0"}},
      {"more log-probs than tokens",
       [](T& m) { m.add_behavior_logprobs(0); },
       {"behavior_logprobs", "got 8"}},
      {"a log-prob that is no number",
       [](T& m) { m.set_behavior_logprobs(3, kNan); },
       {"behavior_logprobs[3]", "a finite number", "nan"}},
      {"an infinite log-prob",
       [](T& m) { m.set_behavior_logprobs(3, -kInfinity); },
       {"behavior_logprobs[3]", "a finite number", "inf"}},
      {"a log-prob above zero",
       [](T& m) { m.set_behavior_logprobs(3, 0.5F); },
       {"behavior_logprobs[3]", "at most 0", "got 0.5"}},
      {"a log-prob in the prompt",
       [](T& m) { m.set_behavior_logprobs(2, -0.5F); },
       {"behavior_logprobs[2]", "exactly 0 for a token that was not sampled", "got -0.5"}},
      {"a log-prob of an observation",
       [](T& m) { m.set_behavior_logprobs(5, -0.5F); },
       {"behavior_logprobs[5]", "exactly 0"}},
      {"fewer processed log-probs than tokens",
       [](T& m) { m.mutable_processed_logprobs()->RemoveLast(); },
       {"Trajectory.processed_logprobs", "7 entries", "got 6"}},
      {"a processed log-prob that is no number",
       [](T& m) { m.set_processed_logprobs(6, kNan); },
       {"processed_logprobs[6]", "a finite number"}},
      {"a temperature that is no number",
       [](T& m) { m.set_temperature(kNan); },
       {"Trajectory.temperature", "a finite number"}},
      {"a temperature below zero",
       [](T& m) { m.set_temperature(-1); },
       {"Trajectory.temperature", "at least 0", "got -1"}},
      {"no finish reason",
       [](T& m) { m.set_finish_reason(v1::FINISH_REASON_UNSPECIFIED); },
       {"FinishReason", "got 0"}},
      {"step ends that do not grow",
       [](T& m) { m.set_step_ends(1, 4); },
       {"Trajectory.step_ends[1]", "increasing", "got 4"}},
      {"a step end beyond the end",
       [](T& m) { m.set_step_ends(1, 7); },
       {"Trajectory.step_ends[1]", "below 7", "got 7"}},
      {"fewer token values than tokens",
       [](T& m) { m.mutable_rewards(0)->mutable_token_values()->RemoveLast(); },
       {"SourceReward.token_values", "7 entries, one per token", "got 6"}},
      {"more step values than steps",
       [](T& m) { m.mutable_rewards(0)->add_step_values(0); },
       {"SourceReward.step_values", "2 entries, one per step end", "got 3"}},
  };
  ExpectRefusals(ToWire(GoodTrajectory(0)), lies, [](const T& m) { return FromWire(m, kLimits); });
}

TEST(WireRefusal, OfRewards) {
  using R = v1::SourceReward;
  constexpr double kDoubleNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Lie<R>> lies{
      {"no source", [](R& m) { m.clear_source(); }, {"SourceReward.source", "nothing"}},
      {"a value that is no number",
       [](R& m) { m.set_value(kDoubleNan); },
       {"SourceReward.value", "'answer'", "a finite number"}},
      {"an infinite weight",
       [](R& m) { m.set_weight(std::numeric_limits<double>::infinity()); },
       {"SourceReward.weight", "a finite number"}},
      {"a step value that is no number",
       [](R& m) { m.set_step_values(0, kNan); },
       {"SourceReward.step_values", "a finite number"}},
      {"an infinite token value",
       [](R& m) { m.set_token_values(0, kInfinity); },
       {"SourceReward.token_values", "a finite number"}},
      {"no verdict",
       [](R& m) { m.set_verdict(v1::VERDICT_KIND_UNSPECIFIED); },
       {"VerdictKind", "got 0"}},
      {"an unknown verdict",
       [](R& m) { m.set_verdict(static_cast<v1::VerdictKind>(4)); },
       {"VerdictKind", "got 4"}},
  };
  ExpectRefusals(ToWire(GoodTrajectory(0).rewards[0]), lies,
                 [](const R& m) { return FromWire(m); });
}

TEST(WireRefusal, OfLeases) {
  using L = v1::PromptLease;
  const std::vector<Lie<L>> lies{
      {"no purpose",
       [](L& m) { m.set_purpose(v1::LEASE_PURPOSE_UNSPECIFIED); },
       {"PromptLease.purpose", "got 0"}},
      {"no prompt", [](L& m) { m.clear_prompt(); }, {"Prompt.token_ids", "none"}},
      {"a prompt token beyond the vocabulary",
       [](L& m) { m.mutable_prompt()->set_token_ids(0, 4'000'000'000u); },
       {"Prompt.token_ids[0]", "got 4000000000"}},
      {"no task", [](L& m) { m.mutable_prompt()->clear_task(); }, {"Prompt.task", "nothing"}},
      {"no samples",
       [](L& m) { m.mutable_sampling()->set_num_samples(0); },
       {"SamplingParams.num_samples", "1 to 8", "got 0"}},
      {"too many samples",
       [](L& m) { m.mutable_sampling()->set_num_samples(9); },
       {"SamplingParams.num_samples", "got 9"}},
      {"a temperature of zero",
       [](L& m) { m.mutable_sampling()->set_temperature(0); },
       {"SamplingParams.temperature", "more than 0"}},
      {"a temperature that is no number",
       [](L& m) { m.mutable_sampling()->set_temperature(kNan); },
       {"SamplingParams.temperature", "a finite number"}},
      {"no token budget",
       [](L& m) { m.mutable_sampling()->set_max_new_tokens(0); },
       {"SamplingParams.max_new_tokens", "1 to 100", "got 0"}},
      {"a token budget beyond all bounds",
       [](L& m) { m.mutable_sampling()->set_max_new_tokens(~0u); },
       {"SamplingParams.max_new_tokens", "got 4294967295"}},
      {"a total budget beyond all bounds",
       [](L& m) { m.mutable_sampling()->set_max_total_tokens(101); },
       {"SamplingParams.max_total_tokens", "at most 100", "got 101"}},
      {"no model", [](L& m) { m.clear_model(); }, {"ModelIdentity.digest", "64"}},
      {"a model without name",
       [](L& m) { m.mutable_model()->clear_model(); },
       {"ModelIdentity.model", "nothing"}},
      {"a short digest",
       [](L& m) { m.mutable_model()->mutable_digest()->pop_back(); },
       {"ModelIdentity.digest", "64 lower-case hex digits"}},
      {"a digest of other letters",
       [](L& m) { m.mutable_model()->mutable_digest()->at(0) = 'A'; },
       {"ModelIdentity.digest"}},
  };
  ExpectRefusals(ToWire(GoodLease()), lies, [](const L& m) { return FromWire(m, kLimits); });
}

TEST(WireRefusal, ChecksNoVocabularyWhenNoneIsGiven) {
  v1::Trajectory message = ToWire(GoodTrajectory(0));
  message.set_token_ids(4, 1'000'000);
  EXPECT_NO_THROW(FromWire(message, WireLimits{}));
}

TEST(WireRefusal, OfGroupsThatDoNotFitTheirLease) {
  using G = TrajectoryGroup;
  const std::vector<Lie<G>> lies{
      {"a missing trajectory",
       [](G& g) { g.trajectories.pop_back(); },
       {"2 trajectories", "got 1"}},
      {"one trajectory too many",
       [](G& g) { g.trajectories.push_back(GoodTrajectory(1)); },
       {"2 trajectories", "got 3"}},
      {"another ordinal",
       [](G& g) { g.trajectories[1].ordinal = 42; },
       {"Trajectory 1.ordinal", "expected 41", "got 42"}},
      {"exchanged indices",
       [](G& g) { g.trajectories[0].sample_index = 1; },
       {"Trajectory 0.sample_index", "expected 0", "got 1"}},
      {"a greedy row in the place of a sampled one",
       [](G& g) { g.trajectories[0].greedy = true; },
       {"Trajectory 0.greedy", "expected false"}},
      {"a sampled row in the place of the greedy one",
       [](G& g) { g.trajectories[1].greedy = false; },
       {"Trajectory 1.greedy", "expected true"}},
      {"another temperature",
       [](G& g) { g.trajectories[0].temperature = 1.0F; },
       {"Trajectory 0.temperature", "expected 0.75", "got 1.0"}},
      {"a greedy row at a temperature",
       [](G& g) { g.trajectories[1].temperature = 0.75F; },
       {"Trajectory 1.temperature", "expected 0.0"}},
      {"another prompt",
       [](G& g) { g.trajectories[0].token_ids[1] = 9; },
       {"Trajectory 0.token_ids", "the prompt of the lease first"}},
      {"a prompt cut short",
       [](G& g) { g.trajectories[0].token_ids.resize(2); },
       {"Trajectory 0.token_ids", "the prompt of the lease first"}},
      {"a prompt that is not marked as such",
       [](G& g) { g.trajectories[0].segments[0].kind = SegmentKind::kForced; },
       {"Trajectory 0.segments", "a prompt segment of 3 tokens first"}},
      {"sampled tokens marked as prompt",
       [](G& g) { g.trajectories[0].segments[1].begin = 4; },
       {"Trajectory 0.segments", "a prompt segment of 3 tokens first"}},
      {"all tokens marked as prompt",
       [](G& g) { g.trajectories[0].segments.resize(1); },
       {"Trajectory 0.segments", "a prompt segment of 3 tokens first"}},
      {"tokens of another version",
       [](G& g) { g.trajectories[0].segments[3].version = 6; },
       {"Trajectory 0.segments.version", "expected 7", "got 6"}},
      {"more sampled tokens than the budget",
       [](G& g) { g.lease.sampling.max_new_tokens = 2; },
       {"Trajectory 0.segments", "1 to 2 sampled tokens", "got 3"}},
      {"more tokens than the total budget",
       [](G& g) { g.lease.sampling.max_total_tokens = 6; },
       {"Trajectory 0.token_ids", "at most 6 tokens", "got 7"}},
      {"no sampled tokens",
       [](G& g) {
         g.trajectories[0].segments[1].kind = SegmentKind::kForced;
         g.trajectories[0].segments[3].kind = SegmentKind::kForced;
       },
       {"Trajectory 0.segments", "1 to 4 sampled tokens", "got 0"}},
      {"no rewards",
       [](G& g) { g.trajectories[1].rewards.clear(); },
       {"Trajectory 1.rewards", "expected 1 sources", "got 0"}},
      {"another source",
       [](G& g) { g.trajectories[1].rewards[0].source = "flattery"; },
       {"Trajectory 1.rewards", "source 'answer'", "'flattery'"}},
      {"another weight",
       [](G& g) { g.trajectories[0].rewards[0].weight = 1e6; },
       {"Trajectory 0.rewards", "weight 0.5", "weight 1000000"}},
      {"a source without score",
       [](G& g) { g.trajectories[1].rewards[0].verdict = VerdictKind::kInfrastructureError; },
       {"Trajectory 1.rewards", "scored sources only", "'answer'"}},
      {"a failed group with trajectories",
       [](G& g) { g.outcome = VerdictKind::kRefused; },
       {"no trajectories with a failed outcome", "got 2"}},
  };
  ExpectRefusals(GoodGroup(), lies, [](const G& g) { CheckGroupAgainstLease(g, kTerms); });
}

TEST(WireRefusal, RefusesFiniteRewardsOfInfiniteSum) {
  TrajectoryGroup group = GoodGroup();
  for (Trajectory& trajectory : group.trajectories) {
    trajectory.rewards[0].value = 1e308;
    trajectory.rewards[0].weight = 1e6;
  }
  const std::vector<RewardTerm> terms = {{"answer", 1e6}};
  try {
    CheckGroupAgainstLease(group, terms);
    ADD_FAILURE() << "accepted";
  } catch (const ProtocolError& error) {
    EXPECT_THAT(error.what(), HasSubstr("expected a finite number, got inf"));
  }
}

TEST(WireRefusal, LetsAFailedGroupBeEmpty) {
  TrajectoryGroup group = GoodGroup();
  group.trajectories.clear();
  group.outcome = VerdictKind::kInfrastructureError;
  group.reason = "the reward service did not answer";
  EXPECT_NO_THROW(CheckGroupAgainstLease(group, kTerms));
}

}  // namespace
}  // namespace ponder
