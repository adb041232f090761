#include "model/decoder.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/model/random_model.h"

namespace ponder {
namespace {

class DecoderForms : public ::testing::TestWithParam<NamedConfig> {
 protected:
  const DecoderConfig& config() const { return GetParam().config; }
  std::vector<std::vector<uint32_t>> Sequences() const {
    std::vector<std::vector<uint32_t>> sequences;
    for (const size_t length : {5, 17, 2, 11, 17}) {
      sequences.push_back(
          RandomTokens(/*seed=*/length + sequences.size(), config().vocab_size, length));
    }
    return sequences;
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, DecoderForms, ::testing::ValuesIn(SmallConfigs()),
                         [](const auto& form) { return form.param.name; });

TEST_P(DecoderForms, ASequenceScoresAloneAsInAPack) {
  for (const auto& [dtype, tolerance] : {std::pair{at::kFloat, 1e-5}, {at::kDouble, 1e-12}}) {
    Parameters parameters(config(), dtype, /*trainable=*/false);
    RandomizeAll(parameters, /*seed=*/11);
    const Decoder decoder(config(), parameters);
    std::vector<at::Tensor> alone;
    for (const auto& sequence : Sequences()) alone.push_back(SequenceLogprobs(decoder, {sequence}));
    EXPECT_LE(MaxAbsDiff(at::cat(alone), SequenceLogprobs(decoder, Sequences())), tolerance);
  }
}

TEST_P(DecoderForms, CachedStepsScoreAsTheFullForward) {
  for (const auto& [dtype, tolerance] : {std::pair{at::kFloat, 1e-5}, {at::kDouble, 1e-12}}) {
    Parameters parameters(config(), dtype, /*trainable=*/true);
    RandomizeAll(parameters, /*seed=*/12);
    const Decoder decoder(config(), parameters);
    const int64_t num_rows = 3;
    const int64_t prompt_length = 4;
    const int64_t length = 20;
    // Three rows that share their prompt.
    std::vector<std::vector<uint32_t>> rows;
    for (int64_t r = 0; r < num_rows; ++r) {
      rows.push_back(RandomTokens(/*seed=*/20 + r, config().vocab_size, length));
      std::copy_n(rows[0].begin(), prompt_length, rows[r].begin());
    }
    KvCache cache(config(), dtype, num_rows, length);
    const at::Tensor first =
        decoder.Prefill({rows[0].begin(), rows[0].begin() + prompt_length}, cache);
    ASSERT_EQ(cache.length, prompt_length);
    std::vector<at::Tensor> hidden = {first.expand({num_rows, config().hidden_size})};
    for (int64_t t = prompt_length; t < length; ++t) {
      at::Tensor token_ids = at::empty({num_rows}, at::kLong);
      for (int64_t r = 0; r < num_rows; ++r) token_ids[r] = static_cast<int64_t>(rows[r][t]);
      hidden.push_back(decoder.Step(token_ids, cache));
    }
    const c10::NoGradGuard no_grad;
    const at::Tensor full = decoder.Logits(decoder.Forward(PackedTokens::FromSequences(rows)))
                                .view({num_rows, length, config().vocab_size});
    for (size_t i = 0; i < hidden.size(); ++i) {
      const at::Tensor stepwise = at::log_softmax(decoder.Logits(hidden[i]), -1);
      const at::Tensor expected =
          at::log_softmax(full.select(1, prompt_length - 1 + static_cast<int64_t>(i)), -1);
      EXPECT_LE(MaxAbsDiff(stepwise, expected), tolerance) << "at position " << i;
    }
  }
}

TEST_P(DecoderForms, PrefillEqualsSteps) {
  Parameters parameters(config(), at::kDouble, /*trainable=*/false);
  RandomizeAll(parameters, /*seed=*/13);
  const Decoder decoder(config(), parameters);
  const std::vector<uint32_t> prompt = RandomTokens(/*seed=*/3, config().vocab_size, /*length=*/9);
  KvCache prefilled(config(), at::kDouble, /*num_rows=*/2, /*capacity=*/12);
  KvCache stepped(config(), at::kDouble, /*num_rows=*/2, /*capacity=*/12);
  const at::Tensor hidden = decoder.Prefill(prompt, prefilled);
  at::Tensor last;
  for (const uint32_t token : prompt) {
    last = decoder.Step(at::full({2}, static_cast<int64_t>(token), at::kLong), stepped);
  }
  EXPECT_LE(MaxAbsDiff(hidden.expand({2, config().hidden_size}), last), 1e-12);
  for (size_t i = 0; i < prefilled.keys.size(); ++i) {
    EXPECT_LE(MaxAbsDiff(prefilled.keys[i].narrow(2, 0, 9), stepped.keys[i].narrow(2, 0, 9)),
              1e-12);
    EXPECT_LE(MaxAbsDiff(prefilled.values[i].narrow(2, 0, 9), stepped.values[i].narrow(2, 0, 9)),
              1e-12);
  }
}

// Central differences along one random direction per tensor, so that an error in any tensor's
// gradient shows. The loss touches log-probs and the head.
TEST_P(DecoderForms, GradientsAgreeWithFiniteDifferences) {
  Parameters parameters(config(), at::kDouble, /*trainable=*/true);
  RandomizeAll(parameters, /*seed=*/14);
  const Decoder decoder(config(), parameters);
  const auto sequences = Sequences();
  const at::Tensor probe = SequenceLogprobs(decoder, sequences).detach();
  const at::Tensor weights = at::linspace(-1.0, 1.0, probe.numel(), probe.options());
  const auto loss = [&] { return (SequenceLogprobs(decoder, sequences) * weights).sum(); };
  loss().backward();
  const at::Tensor gradient = parameters.GatherGrad();
  const at::Tensor values = parameters.GatherValues();

  constexpr double kStep = 1e-5;
  const c10::NoGradGuard no_grad;
  const RandomStream draws(/*seed=*/15, RandomPurpose::kTest, /*ordinal=*/0, /*sample=*/0);
  int64_t begin = 0;
  for (const TensorSpec& spec : parameters.layout().tensors()) {
    const auto count = static_cast<int64_t>(spec.num_elements());
    at::Tensor direction = at::zeros_like(values);
    for (int64_t i = begin; i < begin + count; ++i) {
      direction.mutable_data_ptr<double>()[i] = draws.Normal(static_cast<uint32_t>(i));
    }
    direction /= direction.norm();
    parameters.ScatterValues(values + kStep * direction);
    const double above = loss().item<double>();
    parameters.ScatterValues(values - kStep * direction);
    const double below = loss().item<double>();
    const double expected = (above - below) / (2 * kStep);
    const double got = gradient.dot(direction).item<double>();
    EXPECT_NEAR(got, expected, 1e-7 + 1e-6 * std::abs(expected)) << spec.name;
    begin += count;
  }
}

TEST_P(DecoderForms, LaterTokensDoNotReachEarlierPositions) {
  Parameters parameters(config(), at::kFloat, /*trainable=*/false);
  RandomizeAll(parameters, /*seed=*/16);
  const Decoder decoder(config(), parameters);
  std::vector<std::vector<uint32_t>> sequences = {
      RandomTokens(/*seed=*/4, config().vocab_size, 12)};
  const at::Tensor before = decoder.Forward(PackedTokens::FromSequences(sequences));
  sequences[0][8] = (sequences[0][8] + 1) % static_cast<uint32_t>(config().vocab_size);
  const at::Tensor after = decoder.Forward(PackedTokens::FromSequences(sequences));
  EXPECT_TRUE(at::equal(before.narrow(0, 0, 8), after.narrow(0, 0, 8)));
  for (int64_t t = 8; t < 12; ++t) EXPECT_FALSE(at::equal(before[t], after[t])) << t;
}

TEST(Decoder, ABrokenSequenceDoesNotBreakItsNeighbours) {
  DecoderConfig config = SmallConfigs().front().config;
  Parameters parameters(config, at::kFloat, /*trainable=*/false);
  RandomizeAll(parameters, /*seed=*/17);
  at::Tensor embedding = parameters.Get("model.embed_tokens.weight");
  embedding[22].fill_(std::numeric_limits<float>::quiet_NaN());
  const Decoder decoder(config, parameters);
  const std::vector<std::vector<uint32_t>> sequences = {{1, 2}, {22, 22, 22}, {3, 4, 5, 6, 7}, {8}};
  const PackedTokens packed = PackedTokens::FromSequences(sequences);
  const at::Tensor finite = decoder.Forward(packed).isfinite().all(-1);
  for (int64_t t = 0; t < finite.numel(); ++t) {
    EXPECT_EQ(finite[t].item<bool>(), t < 2 || t >= 5) << "position " << t;
  }
}

TEST(Decoder, PositionsMatter) {
  const DecoderConfig config = SmallConfigs().front().config;
  Parameters parameters(config, at::kFloat, /*trainable=*/false);
  RandomizeAll(parameters, /*seed=*/18);
  const Decoder decoder(config, parameters);
  // The same set of tokens before the last one, in another order.
  const std::vector<std::vector<uint32_t>> sequences = {{1, 2, 3}, {2, 1, 3}};
  const at::Tensor hidden = decoder.Forward(PackedTokens::FromSequences(sequences));
  EXPECT_GT(MaxAbsDiff(hidden[2], hidden[5]), 1e-3);
}

TEST(Decoder, SequencesBeyondTheContextAreRefused) {
  const DecoderConfig config = SmallConfigs().front().config;  // context 48
  Parameters parameters(config, at::kFloat, /*trainable=*/false);
  const Decoder decoder(config, parameters);
  const std::vector<std::vector<uint32_t>> fits = {std::vector<uint32_t>(48, 1)};
  const std::vector<std::vector<uint32_t>> too_long = {std::vector<uint32_t>(49, 1)};
  EXPECT_NO_THROW(decoder.Forward(PackedTokens::FromSequences(fits)));
  try {
    decoder.Forward(PackedTokens::FromSequences(too_long));
    FAIL() << "49 tokens were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
  }
  KvCache cache(config, at::kFloat, /*num_rows=*/1, /*capacity=*/1);
  decoder.Step(at::ones({1}, at::kLong), cache);
  EXPECT_THROW(decoder.Step(at::ones({1}, at::kLong), cache), Error);
  EXPECT_THROW(KvCache(config, at::kFloat, /*num_rows=*/1, /*capacity=*/49), Error);
  EXPECT_THROW(decoder.Forward(PackedTokens::FromSequences({})), Error);
}

TEST(Decoder, StepsLeaveNoTraceInAutograd) {
  const DecoderConfig config = SmallConfigs().front().config;
  Parameters parameters(config, at::kFloat, /*trainable=*/true);
  RandomizeAll(parameters, /*seed=*/19);
  const Decoder decoder(config, parameters);
  KvCache cache(config, at::kFloat, /*num_rows=*/2, /*capacity=*/8);
  EXPECT_FALSE(decoder.Prefill({1, 2}, cache).requires_grad());
  const at::Tensor hidden = decoder.Step(at::ones({2}, at::kLong), cache);
  EXPECT_FALSE(hidden.requires_grad());
  EXPECT_FALSE(hidden.is_inference());
  // The same decoder still trains.
  SequenceLogprobs(decoder, {{1, 2, 3}}).sum().backward();
  EXPECT_GT(parameters.GatherGrad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace ponder
