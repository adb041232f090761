// The gradient of a step does not depend on how many ranks or micro-batches computed it. Started by
// mpirun with 1, 2 and 3 ranks.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "core/base/philox.h"
#include "trainer/learner.h"

namespace ponder {
namespace {

Communicator* g_comm = nullptr;  // set by main: one MPI session per process

DecoderConfig MicroDecoder() {
  DecoderConfig config = DecoderConfig::Preset("tiny", /*vocab_size=*/21);
  config.hidden_size = 16;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.head_dim = 8;
  config.intermediate_size = 24;
  return config;
}

// Sequences of uneven lengths with random tokens, weights and advantages.
Minibatch RandomMinibatch() {
  Minibatch minibatch;
  for (uint64_t unit = 0; unit < 12; ++unit) {
    const RandomStream random(/*seed=*/5, RandomPurpose::kTest, unit, /*sample=*/0);
    Example example;
    example.ordinal = unit;
    const size_t length = 6 + random.Below(0, 20);
    for (size_t t = 0; t < length; ++t) {
      const auto position = static_cast<uint32_t>(t + 1);
      example.token_ids.push_back(static_cast<uint32_t>(random.Below(position, 21)));
      example.weight.push_back(t >= 3 ? 0.01 + 0.01 * random.Uniform(position + 100) : 0.0);
      example.advantage.push_back(random.Normal(static_cast<uint32_t>(unit)));
    }
    minibatch.push_back({{std::move(example)}});
  }
  return minibatch;
}

// The clipped objective on fresh samples: its gradient is that of -advantage * logprob.
class PolicyGradient : public Algorithm {
 public:
  bool samples() const override { return true; }
  std::vector<Minibatch> BuildExamples(const StepInput&,
                                       std::map<std::string, double>*) const override {
    return {};
  }
  at::Tensor TokenLoss(const at::Tensor& logprobs, const TokenStreams& streams,
                       TokenMetrics*) const override {
    return -streams.advantage * (logprobs - logprobs.detach()).exp();
  }
};

at::Tensor GradientOf(Communicator& comm, at::ScalarType dtype, int64_t max_tokens) {
  const RealClock clock;
  Learner learner(MicroDecoder(), comm, clock, max_tokens, dtype);
  learner.parameters().Initialize(/*seed=*/3);
  learner.AccumulateGradient(PolicyGradient(), RandomMinibatch());
  at::Tensor gradient = learner.parameters().GatherGrad().contiguous();
  comm.AllReduceSum({gradient.data_ptr(), static_cast<uint64_t>(gradient.numel()),
                     dtype == at::kDouble ? DType::kF64 : DType::kF32, nullptr});
  return gradient;
}

// Largest relative L2 difference over the tensors of the layout.
double LargestRelativeDifference(const at::Tensor& left, const at::Tensor& right) {
  const FlatLayout layout = MicroDecoder().Layout(DType::kF32);
  int64_t begin = 0;
  double largest = 0;
  for (const TensorSpec& tensor : layout.tensors()) {
    const auto count = static_cast<int64_t>(tensor.num_elements());
    const at::Tensor a = left.narrow(0, begin, count).to(at::kDouble);
    const at::Tensor b = right.narrow(0, begin, count).to(at::kDouble);
    const double norm = b.norm().item<double>();
    EXPECT_GT(norm, 0.0) << tensor.name << " has no gradient: the comparison would say nothing";
    largest = std::max(largest, (a - b).norm().item<double>() / norm);
    begin += count;
  }
  return largest;
}

struct Case {
  at::ScalarType dtype;
  double tolerance;
};

class GradientInvarianceTest : public ::testing::TestWithParam<Case> {};

TEST_P(GradientInvarianceTest, AgreesForAnyNumberOfRanksAndMicroBatches) {
  const Case& test = GetParam();
  const std::unique_ptr<Communicator> alone = MakeLocalCommunicator();
  const at::Tensor expected = GradientOf(*alone, test.dtype, /*max_tokens=*/100000);
  for (const int64_t max_tokens : {100000, 100, 45, 26}) {
    const double difference =
        LargestRelativeDifference(GradientOf(*g_comm, test.dtype, max_tokens), expected);
    if (g_comm->rank() == 0) {
      std::printf("%d ranks, micro-batches of %lld tokens: largest relative difference %.2e\n",
                  g_comm->size(), static_cast<long long>(max_tokens), difference);
    }
    EXPECT_LE(difference, test.tolerance) << "micro-batches of " << max_tokens << " tokens";
  }
}

INSTANTIATE_TEST_SUITE_P(DoubleAndFloat, GradientInvarianceTest,
                         ::testing::Values(Case{at::kDouble, 1e-12}, Case{at::kFloat, 1e-5}));

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::unique_ptr<ponder::Communicator> comm =
      ponder::MakeMpiCommunicator(ponder::CommOptions{});
  ponder::g_comm = comm.get();
  int64_t failed = RUN_ALL_TESTS();
  comm->AllReduceMax({&failed, 1, ponder::DType::kI64, nullptr});
  return static_cast<int>(failed);
}
