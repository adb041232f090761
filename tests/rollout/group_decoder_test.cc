#include "rollout/engine/group_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;

const TurnCallback kNoTurns;
const std::function<bool()> kNeverStop;
constexpr uint32_t kEos = 20;

class GroupDecoderTest : public ::testing::Test {
 protected:
  GroupDecoderTest()
      : config_(DecoderConfig::Preset("tiny", /*vocab_size=*/21)),
        parameters_(config_, at::kFloat, /*trainable=*/false),
        decoder_(config_, parameters_) {
    parameters_.Initialize(/*seed=*/1);
  }

  GroupRequest Request() const {
    GroupRequest request;
    request.seed = 17;
    request.ordinal = 4711;
    request.prompt = {3, 11, 5, 12, 7};
    request.sampling.num_samples = 6;
    request.sampling.add_greedy = true;
    request.sampling.max_new_tokens = 40;
    request.eos_id = kEos;
    request.version = 9;
    return request;
  }

  std::vector<Trajectory> Decode(const GroupRequest& request, const TurnCallback& turn = kNoTurns) {
    return engine_.Decode(decoder_, request, turn, kNeverStop);
  }

  // What the trainer would compute: log p of token t given those before it, 0 at t = 0.
  std::vector<float> ForwardLogprobs(const std::vector<uint32_t>& tokens, float temperature) {
    const PackedTokens packed = PackedTokens::FromSequences({&tokens, 1});
    const int64_t count = static_cast<int64_t>(tokens.size()) - 1;
    const at::Tensor logits = decoder_.Logits(decoder_.Forward(packed).narrow(0, 0, count));
    const at::Tensor scores =
        ScoreTokens(logits, packed.token_ids.narrow(0, 1, count), at::full({count}, temperature))
            .logprobs;
    std::vector<float> result = {0.0F};
    result.insert(result.end(), scores.const_data_ptr<float>(),
                  scores.const_data_ptr<float>() + count);
    return result;
  }

  DecoderConfig config_;
  Parameters parameters_;
  Decoder decoder_;
  GroupDecoder engine_;
};

// Kind of every token, from the segments.
std::vector<SegmentKind> KindsOf(const Trajectory& trajectory) {
  std::vector<SegmentKind> kinds(trajectory.token_ids.size());
  for (const Segment& segment : trajectory.segments) {
    std::fill(kinds.begin() + segment.begin, kinds.end(), segment.kind);
  }
  return kinds;
}

size_t CountSampled(const Trajectory& trajectory) {
  const auto kinds = KindsOf(trajectory);
  return static_cast<size_t>(std::count(kinds.begin(), kinds.end(), SegmentKind::kSampled));
}

TEST_F(GroupDecoderTest, RepeatedCallsGiveTheSameTrajectories) {
  const auto first = Decode(Request());
  EXPECT_EQ(first, Decode(Request()));
  GroupDecoder another;
  EXPECT_EQ(first, another.Decode(decoder_, Request(), kNoTurns, kNeverStop));
}

TEST_F(GroupDecoderTest, RowsSeedsAndPromptsDrawDifferently) {
  const auto rows = Decode(Request());
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(rows[i].token_ids, rows[j].token_ids) << i << " " << j;
  }
  GroupRequest other_seed = Request();
  other_seed.seed = 18;
  EXPECT_NE(Decode(other_seed)[0].token_ids, rows[0].token_ids);
  GroupRequest other_ordinal = Request();
  other_ordinal.ordinal = 4712;
  EXPECT_NE(Decode(other_ordinal)[0].token_ids, rows[0].token_ids);
  // The greedy row draws nothing.
  EXPECT_EQ(Decode(other_seed)[6].token_ids, rows[6].token_ids);
}

TEST_F(GroupDecoderTest, BehaviorLogprobsEqualThoseOfTheFullForward) {
  GroupRequest request = Request();
  request.sampling.temperature = 0.7F;
  for (const Trajectory& row : Decode(request)) {
    const auto expected = ForwardLogprobs(row.token_ids, row.greedy ? 1.0F : 0.7F);
    ASSERT_EQ(row.behavior_logprobs.size(), row.token_ids.size());
    for (size_t t = 0; t < row.token_ids.size(); ++t) {
      if (t < request.prompt.size()) {
        EXPECT_EQ(row.behavior_logprobs[t], 0.0F);
      } else {
        EXPECT_NEAR(row.behavior_logprobs[t], expected[t], 1e-5) << "row " << row.sample_index;
      }
    }
  }
}

TEST_F(GroupDecoderTest, TrajectoriesSayWhatTheyAre) {
  const auto rows = Decode(Request());
  ASSERT_EQ(rows.size(), 7U);
  for (uint32_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].ordinal, 4711U);
    EXPECT_EQ(rows[i].sample_index, i);
    EXPECT_EQ(rows[i].greedy, i == 6);
    EXPECT_EQ(rows[i].temperature, i == 6 ? 0.0F : 1.0F);
    EXPECT_THAT(rows[i].segments, ElementsAre(Segment{0, SegmentKind::kPrompt, 9},
                                              Segment{5, SegmentKind::kSampled, 9}));
    EXPECT_TRUE(std::equal(rows[i].token_ids.begin(), rows[i].token_ids.begin() + 5,
                           Request().prompt.begin()));
  }
}

TEST_F(GroupDecoderTest, TheEndTokenIsTheLastSampledOne) {
  int num_stopped = 0;
  for (uint64_t ordinal = 0; ordinal < 5; ++ordinal) {
    GroupRequest request = Request();
    request.ordinal = ordinal;
    for (const Trajectory& row : Decode(request)) {
      const auto end = std::find(row.token_ids.begin(), row.token_ids.end(), kEos);
      if (row.finish_reason == FinishReason::kStop) {
        EXPECT_EQ(end, row.token_ids.end() - 1);
        ++num_stopped;
      } else {
        EXPECT_EQ(end, row.token_ids.end());
        EXPECT_EQ(CountSampled(row), 40U);
      }
    }
  }
  EXPECT_GT(num_stopped, 5);
  EXPECT_LT(num_stopped, 35);
}

TEST_F(GroupDecoderTest, AnEndTokenAtTheLimitIsAStop) {
  GroupRequest request = Request();
  const auto rows = Decode(request);
  const auto stopped = std::find_if(rows.begin(), rows.end(), [](const Trajectory& row) {
    return row.finish_reason == FinishReason::kStop;
  });
  ASSERT_NE(stopped, rows.end());
  request.sampling.max_new_tokens = static_cast<uint32_t>(CountSampled(*stopped));
  const Trajectory again = Decode(request)[stopped->sample_index];
  EXPECT_EQ(again.token_ids, stopped->token_ids);
  EXPECT_EQ(again.finish_reason, FinishReason::kStop);
  request.sampling.max_new_tokens -= 1;
  const Trajectory cut = Decode(request)[stopped->sample_index];
  EXPECT_EQ(cut.token_ids.size(), stopped->token_ids.size() - 1);
  EXPECT_EQ(cut.finish_reason, FinishReason::kLength);
}

TEST_F(GroupDecoderTest, TheContextAndTheTotalEndRows) {
  GroupRequest request = Request();
  request.sampling.max_new_tokens = 1000;
  request.sampling.max_total_tokens = 8;
  for (const Trajectory& row : Decode(request)) EXPECT_LE(row.token_ids.size(), 8U);
  request.sampling.max_total_tokens = 0;
  request.prompt.assign(static_cast<size_t>(config_.max_positions) - 2, 3);
  for (const Trajectory& row : Decode(request)) {
    EXPECT_LE(row.token_ids.size(), static_cast<size_t>(config_.max_positions));
    EXPECT_GT(CountSampled(row), 0U);
  }
  // A prompt that fills the context leaves nothing to sample.
  request.prompt.assign(static_cast<size_t>(config_.max_positions), 3);
  for (const Trajectory& row : Decode(request)) {
    EXPECT_EQ(CountSampled(row), 0U);
    EXPECT_EQ(row.finish_reason, FinishReason::kLength);
  }
}

TEST_F(GroupDecoderTest, TheGreedyRowTakesTheMostProbableToken) {
  const Trajectory row = Decode(Request())[6];
  const PackedTokens packed = PackedTokens::FromSequences({&row.token_ids, 1});
  const at::Tensor best = decoder_.Logits(decoder_.Forward(packed)).argmax(-1);
  for (size_t t = 5; t < row.token_ids.size(); ++t) {
    EXPECT_EQ(row.token_ids[t], best[static_cast<int64_t>(t) - 1].item<int64_t>()) << t;
  }
}

TEST_F(GroupDecoderTest, FirstTokensFollowTheModelsDistribution) {
  GroupRequest request = Request();
  request.sampling.num_samples = 8;
  request.sampling.add_greedy = false;
  request.sampling.max_new_tokens = 1;
  constexpr int kNumGroups = 1000;
  std::vector<double> counts(21);
  for (int i = 0; i < kNumGroups; ++i) {
    request.ordinal = static_cast<uint64_t>(i);
    for (const Trajectory& row : Decode(request)) counts[row.token_ids.back()] += 1;
  }
  const PackedTokens packed = PackedTokens::FromSequences({&request.prompt, 1});
  const at::Tensor probs = at::softmax(decoder_.Logits(decoder_.Forward(packed))[4], -1);
  double chi_square = 0;
  for (int64_t token = 0; token < 21; ++token) {
    const double expected = kNumGroups * 8 * probs[token].item<double>();
    chi_square += (counts[token] - expected) * (counts[token] - expected) / expected;
  }
  EXPECT_LT(chi_square, 45.3);  // 20 degrees of freedom, p = 0.001
}

TEST_F(GroupDecoderTest, ObservationsAreAppendedAndSamplingGoesOn) {
  GroupRequest request = Request();
  request.sampling.max_new_tokens = 60;
  std::vector<std::vector<std::vector<uint32_t>>> turns(7);
  const std::vector<uint32_t> observation = {1, 2, 3};
  const auto rows = Decode(
      request,
      [&](uint32_t row, const std::vector<uint32_t>& turn) -> std::optional<std::vector<uint32_t>> {
        turns[row].push_back(turn);
        if (turns[row].size() > 2) return std::nullopt;
        return observation;
      });
  size_t num_observations = 0;
  for (const Trajectory& row : rows) {
    const auto kinds = KindsOf(row);
    const auto expected = ForwardLogprobs(row.token_ids, 1.0F);
    std::vector<uint32_t> sampled;
    for (size_t t = 0; t < kinds.size(); ++t) {
      if (kinds[t] == SegmentKind::kSampled) {
        sampled.push_back(row.token_ids[t]);
        EXPECT_NEAR(row.behavior_logprobs[t], expected[t], 1e-5);
      } else {
        EXPECT_EQ(row.behavior_logprobs[t], 0.0F);
      }
    }
    // Every observation stands whole behind an end token; the turns are what was sampled.
    for (const Segment& segment : row.segments) {
      if (segment.kind != SegmentKind::kObservation) continue;
      ++num_observations;
      EXPECT_EQ(row.token_ids[segment.begin - 1], kEos);
      EXPECT_TRUE(std::equal(observation.begin(), observation.end(),
                             row.token_ids.begin() + segment.begin));
      EXPECT_EQ(kinds[segment.begin + 3], SegmentKind::kSampled);
      EXPECT_EQ(segment.version, 9U);
    }
    std::vector<uint32_t> told;
    for (const auto& turn : turns[row.sample_index]) {
      EXPECT_EQ(turn.back(), kEos);
      told.insert(told.end(), turn.begin(), turn.end());
    }
    sampled.resize(told.size());  // the last turn may have been cut by length
    EXPECT_EQ(told, sampled);
    EXPECT_LE(CountSampled(row), 60U);
  }
  EXPECT_GT(num_observations, 5U);
}

TEST_F(GroupDecoderTest, AnObservationWithoutRoomBehindItEndsTheRow) {
  GroupRequest request = Request();
  request.sampling.max_new_tokens = 60;
  request.sampling.max_total_tokens = 70;
  const std::vector<uint32_t> observation(66, 1);
  int num_turns = 0;
  for (const Trajectory& row : Decode(request, [&](uint32_t, const std::vector<uint32_t>&) {
         ++num_turns;
         return std::optional(observation);
       })) {
    EXPECT_EQ(row.finish_reason, FinishReason::kLength);
    EXPECT_EQ(row.segments.size(), 2U);
  }
  EXPECT_GT(num_turns, 0);
}

TEST_F(GroupDecoderTest, AnEmptyObservationOnlyContinues) {
  const auto rows = Decode(Request(), [](uint32_t, const std::vector<uint32_t>&) {
    return std::optional(std::vector<uint32_t>());
  });
  for (const Trajectory& row : rows) {
    EXPECT_EQ(CountSampled(row), 40U);
    EXPECT_EQ(row.segments.size(), 2U);
  }
}

TEST_F(GroupDecoderTest, EveryTokenIsToldWhenItIsTaken) {
  const TurnCallback one_more_turn =
      [turns = std::vector<int>(7, 0)](
          uint32_t row,
          const std::vector<uint32_t>&) mutable -> std::optional<std::vector<uint32_t>> {
    if (turns[row]++ > 0) return std::nullopt;
    return std::vector<uint32_t>{1, 2};
  };
  std::vector<Trajectory> told(7);
  const auto rows = engine_.Decode(
      decoder_, Request(), one_more_turn, kNeverStop,
      [&](uint32_t row, uint32_t token, float logprob, SegmentKind kind) {
        told[row].token_ids.push_back(token);
        told[row].behavior_logprobs.push_back(logprob);
        EXPECT_EQ(kind == SegmentKind::kObservation, logprob == 0.0F) << "row " << row;
      });
  for (const Trajectory& row : rows) {
    const auto begin = static_cast<std::ptrdiff_t>(Request().prompt.size());
    EXPECT_EQ(told[row.sample_index].token_ids,
              std::vector<uint32_t>(row.token_ids.begin() + begin, row.token_ids.end()));
    EXPECT_EQ(
        told[row.sample_index].behavior_logprobs,
        std::vector<float>(row.behavior_logprobs.begin() + begin, row.behavior_logprobs.end()));
  }
}

TEST_F(GroupDecoderTest, StopEndsTheCallWithoutResult) {
  int num_polls = 0;
  const auto rows = engine_.Decode(decoder_, Request(), kNoTurns, [&] { return ++num_polls == 3; });
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(num_polls, 3);
}

TEST_F(GroupDecoderTest, TokensOutsideTheVocabularyAreRefused) {
  GroupRequest request = Request();
  request.prompt.push_back(21);
  EXPECT_THROW(Decode(request), ProtocolError);
  request = Request();
  request.prompt.clear();
  EXPECT_THROW(Decode(request), ProtocolError);
  request = Request();
  request.eos_id = 21;
  EXPECT_THROW(Decode(request), ProtocolError);
  EXPECT_THROW(Decode(Request(),
                      [](uint32_t, const std::vector<uint32_t>&) {
                        return std::optional(std::vector<uint32_t>{21});
                      }),
               ProtocolError);
}

TEST_F(GroupDecoderTest, WeightsOfATrainableModelDecodeAlike) {
  Parameters trainable(config_, at::kFloat, /*trainable=*/true);
  trainable.Initialize(/*seed=*/1);
  const Decoder decoder(config_, trainable);
  EXPECT_EQ(engine_.Decode(decoder, Request(), kNoTurns, kNeverStop), Decode(Request()));
}

}  // namespace
}  // namespace ponder
