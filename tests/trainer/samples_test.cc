#include "trainer/samples.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "trainer/length_histogram.h"

namespace ponder {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

// Tokens 0 .. 4 are the letters a .. e, 5 ends an answer.
SymbolTokenizer Letters() { return SymbolTokenizer({"a", "b", "c", "d", "e"}, {"<eos>"}, "<eos>"); }

// Prompt "a b", then `num_sampled` tokens c and the end token.
Trajectory SampleOf(uint32_t sample, size_t num_sampled, bool correct = true) {
  Trajectory trajectory;
  trajectory.ordinal = 7;
  trajectory.sample_index = sample;
  trajectory.token_ids = {0, 1};
  trajectory.token_ids.insert(trajectory.token_ids.end(), num_sampled, 2);
  trajectory.token_ids.push_back(5);
  trajectory.segments = {{0, SegmentKind::kPrompt, 0}, {2, SegmentKind::kSampled, 3}};
  trajectory.behavior_logprobs.assign(trajectory.token_ids.size(), -0.51234567F);
  SourceReward answer;
  answer.source = "answer";
  answer.value = correct ? 1 : 0;
  answer.rule = correct ? "equal" : "different";
  trajectory.rewards = {answer};
  return trajectory;
}

TrajectoryGroup GroupOf(std::vector<Trajectory> trajectories) {
  TrajectoryGroup group;
  group.lease.prompt.token_ids = {0, 1};
  group.lease.prompt.reference_answer = "c";
  group.trajectories = std::move(trajectories);
  return group;
}

class SamplesTest : public ::testing::Test {
 protected:
  SamplesTest() : files_(MakeRealFileSystem()) {
    std::string pattern = ::testing::TempDir() + "ponder_samples_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SamplesTest() override { std::filesystem::remove_all(folder_); }

  std::vector<json> Write(const SampleOrigin& origin, const std::vector<TrajectoryGroup>& groups) {
    WriteSamples(*files_, folder_, origin, groups, Letters());
    std::istringstream stream(files_->ReadFile(SamplesPath(folder_, origin), 1 << 24));
    std::vector<json> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }

  const SampleOrigin training_{.stage = "reason", .set = {}, .step = 120, .stage_step = 20};
  const SampleOrigin evaluation_{.stage = "reason", .set = "final", .step = 160, .stage_step = 60};
  std::unique_ptr<FileSystem> files_;
  std::string folder_;
};

TEST_F(SamplesTest, CarryTokensLogProbsAndRewardsBySource) {
  const std::vector<json> lines =
      Write(training_, {GroupOf({SampleOf(0, 2), SampleOf(1, 1, false)})});
  ASSERT_EQ(lines.size(), 2u);
  const json& line = lines[0];
  EXPECT_EQ(line["stage"], "reason");
  EXPECT_EQ(line["step"], 120);
  EXPECT_EQ(line["stage_step"], 20);
  EXPECT_FALSE(line.contains("set"));
  EXPECT_EQ(line["prompt"], "a b");
  EXPECT_EQ(line["response"], "c c");
  EXPECT_EQ(line["tokens"], json({"c", "c", "<eos>"}));
  EXPECT_EQ(line["logprobs"], json({-0.5123, -0.5123, -0.5123})) << "rounded to four decimals";
  EXPECT_EQ(line["correct"], true);
  EXPECT_EQ(
      line["rewards"],
      json::array({{{"source", "answer"}, {"value", 1.0}, {"weight", 1.0}, {"rule", "equal"}}}));
  EXPECT_EQ(lines[1]["correct"], false);
}

TEST_F(SamplesTest, HaveNoLogProbWhereThePolicyDidNotSample) {
  Trajectory trajectory = SampleOf(0, 3);
  trajectory.segments.push_back({3, SegmentKind::kObservation, 0});
  trajectory.segments.push_back({4, SegmentKind::kSampled, 3});
  trajectory.behavior_logprobs[3] = 0;
  const json line = Write(training_, {GroupOf({trajectory})}).front();
  EXPECT_EQ(line["logprobs"], json({-0.5123, nullptr, -0.5123, -0.5123}));
}

TEST_F(SamplesTest, KeepAFewSamplesOfTheFirstPromptsAndEveryGreedyOne) {
  std::vector<Trajectory> rows;
  for (uint32_t i = 0; i < 20; ++i) rows.push_back(SampleOf(i, 1));
  rows.push_back(SampleOf(20, 1));
  rows.back().greedy = true;
  const std::vector<TrajectoryGroup> groups(30, GroupOf(rows));
  EXPECT_EQ(Write(training_, groups).size(), 2u * 9u);
  EXPECT_EQ(Write(evaluation_, groups).size(), 16u * 5u);
}

TEST_F(SamplesTest, OfALongResponseLoseItsMiddle) {
  const json line = Write(evaluation_, {GroupOf({}), GroupOf({SampleOf(0, 5000)})}).front();
  EXPECT_EQ(line["tokens"].size(), 2048u);
  EXPECT_EQ(line["logprobs"].size(), 2048u);
  EXPECT_EQ(line["tokens"].back(), "<eos>");
  EXPECT_EQ(line["cut"], json({{"after", 1024}, {"tokens", 5001 - 2048}}));
}

TEST_F(SamplesTest, LieInOneFilePerTrainingStepAndOnePerEvaluationOfAStage) {
  EXPECT_EQ(SamplesPath("run", training_), "run/samples/step_000120.jsonl");
  EXPECT_EQ(SamplesPath("run", evaluation_), "run/samples/final_after_reason.jsonl");
}

TEST(KeepsSamplesOfTest, ChoosesFourStepsPerDoublingWhateverTheLengthOfTheStage) {
  std::vector<int64_t> kept;
  for (int64_t step = 1; step <= 64; ++step) {
    if (KeepsSamplesOf(step)) kept.push_back(step);
  }
  EXPECT_THAT(kept,
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64));
  int64_t count = 0;
  for (int64_t step = 1; step <= 10000; ++step) count += KeepsSamplesOf(step) ? 1 : 0;
  EXPECT_EQ(count, 48);
}

TEST(LengthHistogramTest, CountsSampledRowsInBinsThatDependOnTheLimitAlone) {
  Trajectory greedy = SampleOf(9, 1);
  greedy.greedy = true;
  // Lengths 2, 3, 4 and 64, each with its end token.
  const LengthHistogram histogram =
      HistogramOfLengths({GroupOf({SampleOf(0, 1), SampleOf(1, 2), greedy}),
                          GroupOf({SampleOf(0, 3), SampleOf(1, 63)})},
                         64);
  EXPECT_EQ(histogram.bin_tokens, 2u);
  ASSERT_EQ(histogram.counts.size(), 32u);
  EXPECT_EQ(histogram.counts[0], 1u);
  EXPECT_EQ(histogram.counts[1], 2u);
  EXPECT_EQ(histogram.counts[31], 1u);
  EXPECT_EQ(HistogramOfLengths({}, 16).counts.size(), 16u);
  EXPECT_EQ(HistogramOfLengths({}, 1000).counts.size(), 32u);
}

}  // namespace
}  // namespace ponder
