// A test of learning to search: with some look-ahead in the demonstrations GRPO makes answers right
// more often and shorter; without any it gains clearly less.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

// Thresholds of the claim. Moving one is a change that the changelog must name.
constexpr double kGain = 0.12;
constexpr double kGainBeyondControl = 0.08;
constexpr int kLimitS = 1800;

// Held-out answers before and after GRPO.
struct Outcome {
  double sampled_before = 0;
  double sampled_after = 0;
  double length_before = 0;
  double length_after = 0;
  double gain() const { return sampled_after - sampled_before; }
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << "sampled " << outcome.sampled_before << " to " << outcome.sampled_after
             << ", length " << outcome.length_before << " to " << outcome.length_after;
}

Outcome OutcomeOf(const UpRun& run) {
  std::ifstream stream(run.folder() + "/metrics.jsonl");
  std::string line;
  Outcome outcome;
  while (std::getline(stream, line)) {
    const nlohmann::json record = nlohmann::json::parse(line);
    if (record.value("at", "") != "stage_end") continue;
    const bool after = record.at("stage") == "reason";
    (after ? outcome.sampled_after : outcome.sampled_before) = record.at("val/sampled");
    (after ? outcome.length_after : outcome.length_before) = record.at("val/response_length");
  }
  return outcome;
}

Outcome Learn(const UpRun& run, int seed, const std::string& lookahead) {
  const ProcessRun result = run.Start(
      {"run.seed=" + std::to_string(seed), "tasks.countdown.lookahead_probability=" + lookahead},
      "", kLimitS);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return OutcomeOf(run);
}

class CountdownLearningTest : public ::testing::TestWithParam<int> {};

TEST_P(CountdownLearningTest, GrpoAmplifiesASkillThatTheDemonstrationsHaveAndNotOneThatTheyLack) {
  if (std::getenv("PONDER_ALL_SEEDS") == nullptr) {
    GTEST_SKIP() << "set PONDER_ALL_SEEDS=1 to run it: eight minutes a seed on two cores";
  }
  const int seed = GetParam();
  const std::string name = "countdown_" + std::to_string(seed);
  const UpRun skilled(name, "countdown.yaml");
  const UpRun control(name + "_control", "countdown.yaml");
  // One core each.
  auto control_outcome = std::async(std::launch::async, Learn, std::cref(control), seed, "0");
  const Outcome with = Learn(skilled, seed, "0.35");
  const Outcome without = control_outcome.get();
  std::cout << "seed " << seed << ": with look-ahead " << with << "; without " << without << "\n";
  EXPECT_GE(with.gain(), kGain);
  EXPECT_LT(with.length_after, with.length_before);
  EXPECT_LE(without.gain(), with.gain() - kGainBeyondControl);
}

INSTANTIATE_TEST_SUITE_P(ThreeSeeds, CountdownLearningTest, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace ponder
