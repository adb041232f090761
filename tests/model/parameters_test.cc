#include "model/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "model/decoder.h"

namespace ponder {
namespace {

DecoderConfig OddSizes() {
  // No tensor fills its 64-byte slot, so padding lies between all of them.
  return {.vocab_size = 7,
          .hidden_size = 6,
          .num_layers = 2,
          .num_heads = 3,
          .num_kv_heads = 1,
          .head_dim = 2,
          .intermediate_size = 5,
          .max_positions = 16,
          .init_std = 0.5};
}

at::Tensor Loss(const Decoder& decoder) {
  const std::vector<std::vector<uint32_t>> sequences = {{1, 2, 3, 4}, {5, 6}};
  return decoder.Logits(decoder.Forward(PackedTokens::FromSequences(sequences))).square().sum();
}

TEST(Parameters, ViewsAreTheFlatBuffer) {
  Parameters parameters(OddSizes(), at::kFloat, /*trainable=*/true);
  parameters.Initialize(/*seed=*/3);
  const at::Tensor values = parameters.GatherValues();
  ASSERT_EQ(values.numel(), OddSizes().num_parameters());
  ASSERT_EQ(parameters.num_elements(), OddSizes().num_parameters());
  parameters.ScatterValues(values * 2);
  const at::Tensor& embedding = parameters.Get("model.embed_tokens.weight");
  EXPECT_TRUE(at::equal(embedding, (values * 2).narrow(0, 0, 42).view({7, 6})));
  EXPECT_TRUE(at::equal(parameters.GatherValues(), values * 2));
}

TEST(Parameters, GradientsAccumulateInPlaceInTheFlatGradient) {
  Parameters parameters(OddSizes(), at::kDouble, /*trainable=*/true);
  parameters.Initialize(/*seed=*/3);
  const Decoder decoder(OddSizes(), parameters);
  const at::Tensor& weight = parameters.Get("model.layers.1.mlp.up_proj.weight");
  const void* storage = weight.grad().const_data_ptr();

  Loss(decoder).backward();
  const at::Tensor once = parameters.GatherGrad();
  EXPECT_GT(once.abs().min().item<double>(), 0);
  Loss(decoder).backward();
  EXPECT_TRUE(at::allclose(parameters.GatherGrad(), 2 * once, /*rtol=*/1e-12));
  EXPECT_EQ(weight.grad().const_data_ptr(), storage);

  parameters.ZeroGrad();
  EXPECT_EQ(weight.grad().abs().max().item<double>(), 0);
  Loss(decoder).backward();
  EXPECT_TRUE(at::allclose(parameters.GatherGrad(), once, /*rtol=*/1e-12));
  EXPECT_EQ(weight.grad().const_data_ptr(), storage);
}

TEST(Parameters, WeightsMayChangeBetweenTwoUpdates) {
  Parameters parameters(OddSizes(), at::kDouble, /*trainable=*/true);
  parameters.Initialize(/*seed=*/3);
  const Decoder decoder(OddSizes(), parameters);
  const double before = Loss(decoder).item<double>();
  Loss(decoder).backward();
  parameters.ScatterValues(parameters.GatherValues() - 1e-4 * parameters.GatherGrad());
  EXPECT_LT(Loss(decoder).item<double>(), before);
}

TEST(Parameters, InitialWeightsDependOnSeedNameAndElementOnly) {
  Parameters one(OddSizes(), at::kFloat, /*trainable=*/false);
  Parameters two(OddSizes(), at::kDouble, /*trainable=*/true);
  one.Initialize(/*seed=*/5);
  two.Initialize(/*seed=*/5);
  EXPECT_TRUE(at::equal(one.GatherValues().to(at::kDouble), two.GatherValues()));
  two.Initialize(/*seed=*/6);
  EXPECT_FALSE(at::equal(one.GatherValues().to(at::kDouble), two.GatherValues()));
  // Layers of the same shape draw from different streams.
  EXPECT_FALSE(at::equal(one.Get("model.layers.0.mlp.up_proj.weight"),
                         one.Get("model.layers.1.mlp.up_proj.weight")));
  // A model with more layers begins with the same tensors.
  DecoderConfig deeper = OddSizes();
  deeper.num_layers = 3;
  Parameters three(deeper, at::kFloat, /*trainable=*/false);
  three.Initialize(/*seed=*/5);
  EXPECT_TRUE(at::equal(one.Get("model.layers.1.self_attn.q_proj.weight"),
                        three.Get("model.layers.1.self_attn.q_proj.weight")));
}

TEST(Parameters, InitialWeightsHaveTheStatedDeviation) {
  const DecoderConfig config = DecoderConfig::Preset("tiny", 21);
  Parameters parameters(config, at::kFloat, /*trainable=*/false);
  parameters.Initialize(/*seed=*/1);
  const at::Tensor& gate = parameters.Get("model.layers.0.mlp.gate_proj.weight");
  const double num = static_cast<double>(gate.numel());
  // Five standard errors of the mean and of the deviation.
  EXPECT_NEAR(gate.mean().item<double>(), 0, 5 * 0.1 / std::sqrt(num));
  EXPECT_NEAR(gate.std().item<double>(), 0.1, 5 * 0.1 / std::sqrt(2 * num));
  EXPECT_EQ(parameters.Get("model.layers.0.self_attn.k_proj.bias").abs().max().item<double>(), 0);
  EXPECT_TRUE(at::equal(parameters.Get("model.norm.weight"), at::ones({64})));
  EXPECT_TRUE(at::equal(parameters.Get("model.layers.1.input_layernorm.weight"), at::ones({64})));
}

TEST(Parameters, BytesCarryTheModel) {
  Parameters from(OddSizes(), at::kFloat, /*trainable=*/false);
  Parameters to(OddSizes(), at::kFloat, /*trainable=*/false);
  from.Initialize(/*seed=*/9);
  const std::vector<char> bytes = from.ToBytes();
  EXPECT_EQ(bytes.size(), from.layout().total_bytes());
  to.LoadBytes({bytes.data(), bytes.size()});
  EXPECT_TRUE(at::equal(from.GatherValues(), to.GatherValues()));
  EXPECT_EQ(to.ToBytes(), bytes);
  try {
    to.LoadBytes({bytes.data(), bytes.size() - 1});
    FAIL() << "a short buffer was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
  }
}

TEST(Parameters, WrongUseIsReported) {
  Parameters parameters(OddSizes(), at::kFloat, /*trainable=*/false);
  EXPECT_THROW(parameters.Get("model.layers.2.mlp.up_proj.weight"), Error);
  EXPECT_THROW(parameters.GatherGrad(), Error);
  EXPECT_THROW(parameters.ScatterValues(at::zeros({3})), Error);
  EXPECT_THROW(parameters.ScatterValues(parameters.GatherValues().to(at::kDouble)), Error);
  EXPECT_THROW(Parameters(OddSizes(), at::kLong, /*trainable=*/false), Error);
}

}  // namespace
}  // namespace ponder
