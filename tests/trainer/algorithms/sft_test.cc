#include "trainer/algorithms/sft.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "tests/trainer/algorithms/toy_task.h"

namespace ponder {
namespace {

constexpr int64_t kBatchSize = 5;
constexpr uint16_t kStream = 3;

class SftTest : public testing::Test {
 protected:
  SftTest() {
    stage_.name = "imitate";
    stage_.algorithm = "sft";
    stage_.batch_size = kBatchSize;
    stage_.data = {.task = "toy", .demonstrator = "letters"};
    experiment_.run.seed = 7;
  }
  std::unique_ptr<Algorithm> Make(uint16_t stream = kStream) const {
    return MakeAlgorithm({experiment_, stage_, task_, task_name_, stream});
  }
  Minibatch BatchOf(int64_t step, uint16_t stream = kStream) const {
    std::map<std::string, double> metrics;
    StepInput input;
    input.step = step;
    std::vector<Minibatch> minibatches = Make(stream)->BuildExamples(input, &metrics);
    EXPECT_EQ(minibatches.size(), 1U);
    return minibatches.at(0);
  }

  ExperimentConfig experiment_;
  StageConfig stage_;
  ToyTask task_;
  std::string task_name_ = "toy";
};

TEST_F(SftTest, SamplesNothingAndNeedsNoPasses) {
  const auto sft = Make();
  EXPECT_FALSE(sft->samples());
  EXPECT_FALSE(sft->Needs().old_logprobs);
}

TEST_F(SftTest, AnExampleIsPromptSolutionAndEndToken) {
  for (const ExampleUnit& unit : BatchOf(0)) {
    ASSERT_EQ(unit.sequences.size(), 1U);
    const Example& example = unit.sequences[0];
    const Problem problem = task_.MakeProblem(Split::kTrain, 7, example.ordinal);
    std::vector<uint32_t> expected = task_.tokenizer().Encode(problem.text);
    for (const uint32_t id :
         task_.tokenizer().Encode(task_.Demonstrate(problem, "letters", 7, example.ordinal))) {
      expected.push_back(id);
    }
    expected.push_back(kToyEos);
    EXPECT_EQ(example.token_ids, expected);
    EXPECT_EQ(example.temperature, 1.0F);
  }
}

TEST_F(SftTest, OnlySolutionAndEndTokenCarryWeightAndAllWeightsSumToOne) {
  double sum = 0;
  std::set<double> distinct;
  for (const ExampleUnit& unit : BatchOf(2)) {
    const Example& example = unit.sequences[0];
    ASSERT_EQ(example.weight.size(), example.token_ids.size());
    bool in_prompt = true;
    for (size_t t = 0; t < example.token_ids.size(); ++t) {
      EXPECT_EQ(example.weight[t] == 0.0, in_prompt) << "token " << t;
      if (example.token_ids[t] == 2) in_prompt = false;  // ">" ends the prompt
      sum += example.weight[t];
      if (example.weight[t] != 0.0) distinct.insert(example.weight[t]);
    }
    EXPECT_EQ(example.token_ids.back(), kToyEos);
    EXPECT_GT(example.weight.back(), 0.0);
  }
  EXPECT_NEAR(sum, 1.0, 1e-15);
  EXPECT_EQ(distinct.size(), 1U) << "a token counts the same in long and short solutions";
}

TEST_F(SftTest, AnEmptySolutionStillTeachesToStop) {
  stage_.data.demonstrator = "silent";
  for (const ExampleUnit& unit : BatchOf(0)) {
    EXPECT_EQ(unit.sequences[0].weight.back(), 1.0 / kBatchSize);
  }
}

TEST_F(SftTest, StepsWalkThroughTheStreamWithoutRepeating) {
  std::vector<uint64_t> ordinals;
  for (int64_t step = 0; step < 3; ++step) {
    for (const ExampleUnit& unit : BatchOf(step)) ordinals.push_back(unit.sequences[0].ordinal);
  }
  for (size_t i = 0; i < ordinals.size(); ++i) {
    EXPECT_EQ(ordinals[i], (Ordinal{kStream, 0, i}.Pack()));
  }
}

// Ordinals of `num_steps` steps, in order.
std::vector<uint64_t> OrdinalsOf(const Algorithm& sft, int64_t num_steps,
                                 std::map<std::string, double>* metrics) {
  std::vector<uint64_t> ordinals;
  for (int64_t step = 0; step < num_steps; ++step) {
    StepInput input;
    input.step = step;
    const std::vector<Minibatch> minibatches = sft.BuildExamples(input, metrics);
    for (const ExampleUnit& unit : minibatches.at(0)) {
      ordinals.push_back(unit.sequences[0].ordinal);
    }
  }
  return ordinals;
}

TEST_F(SftTest, EveryEpochSeesEveryDemonstrationOnceInAnOrderOfItsOwn) {
  constexpr int64_t kSet = 12;  // not a multiple of the batch: a batch spans two epochs
  stage_.data.num_demonstrations = kSet;
  std::map<std::string, double> metrics;
  const std::vector<uint64_t> ordinals = OrdinalsOf(*Make(), /*num_steps=*/12, &metrics);
  ASSERT_EQ(ordinals.size(), 5 * kSet);
  EXPECT_EQ(metrics.at("train/epoch"), 5.0);
  std::set<std::vector<uint64_t>> orders;
  for (size_t epoch = 0; epoch < 5; ++epoch) {
    const std::vector<uint64_t> order(ordinals.begin() + epoch * kSet,
                                      ordinals.begin() + (epoch + 1) * kSet);
    const std::set<uint64_t> seen(order.begin(), order.end());
    EXPECT_EQ(seen.size(), static_cast<size_t>(kSet));
    EXPECT_EQ(*seen.rbegin(), (Ordinal{kStream, 0, kSet - 1}.Pack())) << "indices below the size";
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 5U);
}

TEST_F(SftTest, EpochsNeedNoStateAndDependOnSeedAndStream) {
  stage_.data.num_demonstrations = 100;
  std::map<std::string, double> metrics;
  const std::vector<uint64_t> all = OrdinalsOf(*Make(), 40, &metrics);
  // A resumed run asks a new object for step 30 first.
  const Minibatch resumed = BatchOf(30);
  for (int64_t i = 0; i < kBatchSize; ++i) {
    EXPECT_EQ(resumed[i].sequences[0].ordinal, all[30 * kBatchSize + i]);
  }
  const auto index_of_first = [&](uint16_t stream) {
    return Ordinal::Unpack(BatchOf(0, stream)[0].sequences[0].ordinal).index;
  };
  EXPECT_NE(index_of_first(1), index_of_first(2));
  experiment_.run.seed = 8;
  EXPECT_NE(OrdinalsOf(*Make(), 40, &metrics), all);
}

TEST_F(SftTest, WithoutASetThereAreNoEpochs) {
  std::map<std::string, double> metrics;
  OrdinalsOf(*Make(), 1, &metrics);
  EXPECT_FALSE(metrics.contains("train/epoch"));
}

TEST_F(SftTest, ValidatesOnTheSameHeldOutDemonstrationsInEveryStage) {
  stage_.validation = {.every_steps = 1, .num_demonstrations = 7};
  const Minibatch batch = Make(/*stream=*/1)->ValidationExamples();
  const Minibatch other = Make(/*stream=*/2)->ValidationExamples();
  ASSERT_EQ(batch.size(), 7U);
  double sum = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const Example& example = batch[i].sequences[0];
    const std::vector<uint32_t> prompt = task_.tokenizer().Encode(kToyHeldOut);
    EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), example.token_ids.begin()));
    EXPECT_EQ(example.token_ids, other[i].sequences[0].token_ids);
    for (const double weight : example.weight) sum += weight;
  }
  EXPECT_NEAR(sum, 1.0, 1e-15);
}

TEST_F(SftTest, NeverTrainsOnAHeldOutProblem) {
  const std::vector<uint32_t> held_out = task_.tokenizer().Encode(kToyHeldOut);
  for (const ExampleUnit& unit : BatchOf(0)) {
    const std::vector<uint32_t>& tokens = unit.sequences[0].token_ids;
    EXPECT_FALSE(std::equal(held_out.begin(), held_out.end(), tokens.begin()));
  }
}

TEST_F(SftTest, StagesDrawFromDifferentStreams) {
  EXPECT_NE(BatchOf(0, 1)[0].sequences[0].ordinal, BatchOf(0, 2)[0].sequences[0].ordinal);
}

TEST_F(SftTest, TheSameStepGivesTheSameBatchOnEveryRank) {
  const Minibatch first = BatchOf(4);
  const Minibatch second = BatchOf(4);
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].sequences[0].token_ids, second[i].sequences[0].token_ids);
    EXPECT_EQ(first[i].sequences[0].weight, second[i].sequences[0].weight);
  }
}

TEST_F(SftTest, TheLossIsTheNegativeLogProb) {
  const at::Tensor logprobs = at::tensor({-0.5, -2.0}, at::kDouble);
  TokenMetrics metrics;
  EXPECT_TRUE(at::equal(Make()->TokenLoss(logprobs, {}, &metrics), -logprobs));
}

TEST_F(SftTest, RefusesADemonstratorTheTaskDoesNotHave) {
  stage_.data.demonstrator = "sloppy";
  try {
    Make();
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("(letters, silent), got 'sloppy'"));
  }
}

TEST_F(SftTest, AnUnknownAlgorithmIsRefusedWithTheNamesOfAll) {
  stage_.algorithm = "gpro";
  try {
    Make();
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("grpo, "), testing::HasSubstr("sft"),
                               testing::HasSubstr("), got 'gpro'")));
  }
}

}  // namespace
}  // namespace ponder
