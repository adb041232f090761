#include "trainer/optim/sharded_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/weights/safetensors.h"
#include "tests/trainer/optim/thread_communicator.h"

namespace ponder {
namespace {

// Odd sizes, so that ranges of ranks cut through tensors.
DecoderConfig SmallConfig() {
  DecoderConfig config;
  config.vocab_size = 7;
  config.hidden_size = 6;
  config.num_layers = 1;
  config.num_heads = 3;
  config.num_kv_heads = 3;
  config.head_dim = 2;
  config.intermediate_size = 5;
  config.max_positions = 8;
  config.init_std = 0.1;
  return config;
}

OptimizerConfig Adam() {
  OptimizerConfig config;
  config.betas = {.9, .98};
  config.weight_decay = .01;
  config.max_grad_norm = 1.0;
  return config;
}

constexpr double kLearningRate = 1e-2;

// A rank's model with its optimizer.
struct Replica {
  Replica(Communicator& communicator, const OptimizerConfig& config,
          at::ScalarType dtype = at::kFloat)
      : comm(communicator), parameters(SmallConfig(), dtype, /*trainable=*/true) {
    parameters.Initialize(/*seed=*/5);
    optimizer.emplace(parameters, comm, config);
  }

  // Leaves this rank's share of the gradient of update `update`. All numbers are multiples of 1/512
  // and small, so that sums are exact and do not depend on how many ranks share them.
  void MakeGradient(int64_t update) {
    parameters.ZeroGrad();
    const int last = comm.size() - 1;
    // Shares 1/2, 1/4, ... with the rest on the last rank.
    const double share = std::ldexp(1.0, comm.rank() == last ? -last : -(comm.rank() + 1));
    int64_t index = 0;
    for (const TensorSpec& spec : parameters.layout().tensors()) {
      const at::Tensor& leaf = parameters.Get(spec.name);
      const at::Tensor coefficient =
          ((at::arange(index, index + leaf.numel(), leaf.options().requires_grad(false)) *
            (2 * update + 3))
               .remainder(17) -
           8) /
          64;
      (leaf.view({-1}) * (coefficient * share)).sum().backward();
      index += leaf.numel();
    }
  }

  OptimizerStep Update(int64_t update) {
    MakeGradient(update);
    return optimizer->Step(kLearningRate);
  }

  std::vector<float> Values() const {
    const at::Tensor values = parameters.GatherValues().to(at::kFloat).contiguous();
    return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
  }

  Communicator& comm;
  Parameters parameters;
  std::optional<ShardedOptimizer> optimizer;
};

// Weights and saved shards of all ranks after `num_updates`, having begun from `shards` if there
// are any.
struct Result {
  std::vector<float> values;
  std::vector<OptimizerShard> shards;
  double grad_norm = 0;
};

Result Train(int num_ranks, int64_t begin, int64_t end, const std::vector<OptimizerShard>& shards) {
  Result result;
  result.shards.resize(static_cast<size_t>(num_ranks));
  RunRanks(num_ranks, [&](Communicator& comm) {
    Replica replica(comm, Adam());
    if (!shards.empty()) replica.optimizer->LoadShards(shards);
    OptimizerStep step;
    for (int64_t update = begin; update < end; ++update) step = replica.Update(update);
    result.shards[static_cast<size_t>(comm.rank())] = {"shard_" + std::to_string(comm.rank()),
                                                       replica.optimizer->SaveShard()};
    if (comm.rank() == comm.size() - 1) {
      result.values = replica.Values();
      result.grad_norm = step.grad_norm;
    }
  });
  return result;
}

TEST(ShardedOptimizerTest, OneTwoAndThreeRanksGiveTheSameWeights) {
  const Result one = Train(1, 0, 5, {});
  for (const int num_ranks : {2, 3}) {
    const Result several = Train(num_ranks, 0, 5, {});
    EXPECT_EQ(several.values, one.values) << num_ranks << " ranks";
    EXPECT_EQ(several.grad_norm, one.grad_norm) << num_ranks << " ranks";
  }
}

TEST(ShardedOptimizerTest, AnyNumberOfRanksGoesOnFromTheShardsOfAnyOther) {
  const Result uninterrupted = Train(1, 0, 6, {});
  for (const int before : {1, 2, 3}) {
    const Result saved = Train(before, 0, 3, {});
    for (const int after : {1, 2, 3}) {
      SCOPED_TRACE(testing::Message() << before << " ranks, then " << after);
      EXPECT_EQ(Train(after, 3, 6, saved.shards).values, uninterrupted.values);
    }
  }
}

TEST(ShardedOptimizerTest, LoadingRestoresWeightsMomentsAndTheNumberOfUpdates) {
  const Result saved = Train(2, 0, 3, {});
  const Result loaded = Train(2, 0, 0, saved.shards);
  EXPECT_EQ(loaded.values, saved.values);
  for (size_t rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(loaded.shards[rank].bytes, saved.shards[rank].bytes) << rank;
  }
}

TEST(ShardedOptimizerTest, ReportsTheNormOfTheSummedGradientAndClipsToTheMaximum) {
  RunRanks(2, [](Communicator& comm) {
    OptimizerConfig config = Adam();
    config.max_grad_norm = 0.5;
    Replica replica(comm, config, at::kDouble);
    replica.MakeGradient(0);
    at::Tensor gradient = replica.parameters.GatherGrad();
    comm.AllReduceSum(
        {gradient.data_ptr(), static_cast<uint64_t>(gradient.numel()), DType::kF64, nullptr});
    const double norm = gradient.norm().item<double>();
    ASSERT_GT(norm, 1.0);

    const OptimizerStep step = replica.optimizer->Step(kLearningRate);
    EXPECT_TRUE(step.finite);
    EXPECT_NEAR(step.grad_norm, norm, 1e-12 * norm);
    // After one update the first moment is (1 - beta1) times the clipped gradient.
    const std::string bytes = replica.optimizer->SaveShard();
    const SafetensorsHeader header = ParseSafetensors(bytes, "shard");
    const ShardRange range = replica.optimizer->range();
    for (const TensorSpec& spec : header.tensors) {
      if (spec.name != "exp_avg") continue;
      const auto* moment =
          reinterpret_cast<const double*>(bytes.data() + header.data_begin + spec.offset);
      for (uint64_t i = range.begin; i < range.end; ++i) {
        const double expected = 0.1 * gradient[static_cast<int64_t>(i)].item<double>() * 0.5 / norm;
        ASSERT_NEAR(moment[i - range.begin], expected, 1e-6) << i;
      }
    }
  });
}

TEST(ShardedOptimizerTest, AMaximumOfZeroClipsNothing) {
  RunRanks(1, [](Communicator& comm) {
    OptimizerConfig free = Adam();
    free.max_grad_norm = 0.0;
    OptimizerConfig wide = Adam();
    wide.max_grad_norm = 1e9;
    Replica first(comm, free);
    Replica second(comm, wide);
    first.Update(0);
    second.Update(0);
    EXPECT_EQ(first.optimizer->SaveShard(), second.optimizer->SaveShard());
  });
}

TEST(ShardedOptimizerTest, ANonFiniteGradientOnOneRankChangesNothingOnAny) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    RunRanks(3, [bad](Communicator& comm) {
      Replica replica(comm, Adam());
      replica.Update(0);
      const std::string state = replica.optimizer->SaveShard();
      const std::vector<float> values = replica.Values();

      replica.MakeGradient(1);
      if (comm.rank() == 1) {
        const TensorSpec& spec = replica.parameters.layout().tensors().front();
        replica.parameters.Get(spec.name).grad().view({-1})[3].fill_(bad);
      }
      EXPECT_FALSE(replica.optimizer->Step(kLearningRate).finite);
      EXPECT_EQ(replica.optimizer->SaveShard(), state);
      EXPECT_EQ(replica.Values(), values);
      EXPECT_EQ(replica.optimizer->num_updates(), 1);
    });
  }
}

#ifdef PONDER_FAILPOINTS
TEST(ShardedOptimizerTest, AFaultTestMayPoisonTheGradient) {
  for (const char* name : {"trainer.reduce", "trainer.optimizer"}) {
    setenv("PONDER_FAILPOINTS", (std::string(name) + "=nan@1").c_str(), 1);
    ConfigureFailpoints("trainer", 0);
    RunRanks(1, [](Communicator& comm) {
      Replica replica(comm, Adam());
      EXPECT_FALSE(replica.Update(0).finite);
      EXPECT_TRUE(replica.Update(0).finite);
    });
  }
  unsetenv("PONDER_FAILPOINTS");
  ConfigureFailpoints("trainer", 0);
}
#endif

// What is wrong with a set of shards, and what the message must say.
struct BadShards {
  const char* description;
  void (*corrupt)(std::vector<OptimizerShard>* shards);
  const char* message;
};

// The same file with other tensors or metadata.
OptimizerShard Rewritten(const OptimizerShard& shard, const std::string& key,
                         const std::string& value) {
  const SafetensorsHeader header = ParseSafetensors(shard.bytes, shard.path);
  std::vector<TensorBytes> tensors;
  for (const TensorSpec& spec : header.tensors) {
    tensors.push_back(
        {spec,
         std::string_view(shard.bytes).substr(header.data_begin + spec.offset, spec.num_bytes())});
  }
  std::map<std::string, std::string> metadata = header.metadata;
  metadata[key] = value;
  if (value.empty()) metadata.erase(key);
  return {shard.path, SerializeSafetensors(tensors, metadata)};
}

const BadShards kBadShards[] = {
    {"Gap", [](auto* shards) { shards->erase(shards->begin()); }, "got a gap from 0"},
    {"None", [](auto* shards) { shards->clear(); }, "got a gap from 0"},
    {"Overlap", [](auto* shards) { shards->push_back(shards->front()); }, "do not overlap"},
    {"OtherStep", [](auto* shards) { shards->at(1) = Rewritten(shards->at(1), "step", "9"); },
     "expected step 1 as in shard_0, got 9"},
    {"OtherModel", [](auto* shards) { shards->at(1) = Rewritten(shards->at(1), "total", "12"); },
     "shard_1: expected the state of a model of"},
    {"NoMetadata", [](auto* shards) { shards->at(0) = Rewritten(shards->at(0), "begin", ""); },
     "shard_0: expected metadata 'begin', got none"},
    {"NotANumber", [](auto* shards) { shards->at(0) = Rewritten(shards->at(0), "end", "12x"); },
     "shard_0: expected metadata 'end' in decimal, got '12x'"},
    {"RangeDiffersFromTensors",
     [](auto* shards) { shards->at(0) = Rewritten(shards->at(0), "end", "3"); },
     "shard_0: expected exp_avg to be F32 [3]"},
    {"Truncated", [](auto* shards) { shards->at(0).bytes.resize(40); }, "shard_0"},
};

class BadShardsTest : public testing::TestWithParam<BadShards> {};

TEST_P(BadShardsTest, AreRefusedByNameAndChangeNothing) {
  std::vector<OptimizerShard> shards = Train(2, 0, 1, {}).shards;
  GetParam().corrupt(&shards);
  RunRanks(1, [&](Communicator& comm) {
    Replica replica(comm, Adam());
    const std::string before = replica.optimizer->SaveShard();
    try {
      replica.optimizer->LoadShards(shards);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData);
      EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().message));
    }
    EXPECT_EQ(replica.optimizer->SaveShard(), before);
  });
}

INSTANTIATE_TEST_SUITE_P(Shards, BadShardsTest, testing::ValuesIn(kBadShards),
                         [](const auto& row) { return std::string(row.param.description); });

TEST(ShardedOptimizerTest, RefusesTheStateOfAnotherDtype) {
  RunRanks(1, [](Communicator& comm) {
    Replica single(comm, Adam(), at::kFloat);
    Replica wide(comm, Adam(), at::kDouble);
    const std::vector<OptimizerShard> shards = {{"shard_0", single.optimizer->SaveShard()}};
    EXPECT_THROW(wide.optimizer->LoadShards(shards), CheckpointError);
  });
}

}  // namespace
}  // namespace ponder
