#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/base/error.h"
#include "tasks/chain.h"
#include "tests/tasks/chain_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::AnswerOf;
using ::ponder::testing::ChainConfig;
using ::ponder::testing::WordsOf;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 7;
constexpr double kMaxZ = 3;

// From a separate program that shares no code with this one.
TEST(ChainDemonstrator, WritesTheSameSolutionsEverywhere) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  const Problem one = task->MakeProblem(Split::kTrain, kSeed, 1);
  EXPECT_EQ(task->Demonstrate(one, "exact", kSeed, 1),
            "3 - 2 = 1 ; 1 - 6 = 6 ; 6 - 6 = 0 ; 0 * 9 = 0 ; 0 + 7 = 7 ; # 7");
  EXPECT_EQ(task->Demonstrate(one, "sloppy", kSeed, 1),
            "3 - 2 = 1 ; 1 - 6 = 2 ; 2 - 6 = 7 ; 7 * 9 = 8 ; 8 + 7 = 4 ; # 4");
  const Problem two = task->MakeProblem(Split::kTrain, kSeed, 2);
  EXPECT_EQ(task->Demonstrate(two, "sloppy", kSeed, 2),
            "0 + 1 = 2 ; 2 - 3 = 10 ; 10 + 8 = 7 ; 7 + 3 = 10 ; 10 - 3 = 4 ; 4 * 2 = 8 ; # 8");
}

TEST(ChainDemonstrator, TakesSixTokensAStepAndThreeForTheEnd) {
  const auto task = MakeChainTask(ChainConfig(1, 6));
  for (uint64_t index = 0; index < 200; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const size_t n = WordsOf(problem.text).size() / 2 - 1;
    for (const std::string& demonstrator : task->demonstrators()) {
      const std::string solution = task->Demonstrate(problem, demonstrator, kSeed, index);
      const std::vector<uint32_t> ids = task->tokenizer().Encode(solution);
      EXPECT_EQ(ids.size() + /*end token*/ 1, 6 * n + 3);
      EXPECT_EQ(task->tokenizer().Decode(ids), solution);
    }
  }
}

TEST(ChainDemonstrator, ExactIsAlwaysRightAndChecksAsRight) {
  const auto task = MakeChainTask(ChainConfig(1, 6));
  for (uint64_t index = 0; index < 500; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const std::string solution = task->Demonstrate(problem, "exact", kSeed, index);
    const StepCheck check = task->CheckSteps(problem, solution);
    EXPECT_TRUE(check.well_formed) << solution;
    for (const bool correct : check.step_correct) EXPECT_TRUE(correct) << solution;
    EXPECT_EQ(AnswerOf(solution), problem.reference_answer);
  }
  EXPECT_EQ(task->ExpectedAccuracy("exact"), 1.0);
}

TEST(ChainDemonstrator, SloppyKeepsTheFormAndGoesOnFromWhatItStated) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  for (uint64_t index = 0; index < 500; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const std::string solution = task->Demonstrate(problem, "sloppy", kSeed, index);
    ASSERT_TRUE(task->CheckSteps(problem, solution).well_formed) << solution;
    const std::vector<std::string> words = WordsOf(solution);
    for (size_t at = 6; at < words.size() - 2; at += 6) EXPECT_EQ(words[at], words[at - 2]);
    EXPECT_EQ(words.back(), words[words.size() - 4]) << "the answer is the last result";
  }
}

// The demonstrator itself against the exact recursion. Sees what the recursion cannot: the split,
// the draws, the text.
TEST(ChainDemonstrator, SloppyIsRightAsOftenAsExpected) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  const double expected = task->ExpectedAccuracy("sloppy").value();
  EXPECT_NEAR(expected, 0.495, 0.002);
  constexpr uint64_t kProblems = 20'000;
  uint64_t num_right = 0;
  uint64_t num_process_right = 0;
  for (uint64_t index = 0; index < kProblems; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const std::string solution = task->Demonstrate(problem, "sloppy", kSeed, index);
    const bool right = AnswerOf(solution) == problem.reference_answer;
    bool process_right = true;
    for (const bool step : task->CheckSteps(problem, solution).step_correct) {
      process_right = process_right && step;
    }
    EXPECT_TRUE(right || !process_right) << solution;
    num_right += right ? 1 : 0;
    num_process_right += process_right ? 1 : 0;
  }
  const double rate = static_cast<double>(num_right) / kProblems;
  const double deviation = std::sqrt(expected * (1 - expected) / kProblems);
  EXPECT_LT(std::abs(rate - expected) / deviation, kMaxZ) << rate << " against " << expected;
  EXPECT_LT(num_process_right, num_right) << "some second slips are lucky";
}

// Whether it slips is drawn apart from whether it believes the misconception.
TEST(ChainDemonstrator, SloppySlipsAlsoWhereItKnowsBetter) {
  TaskConfig config = ChainConfig(1, 1);
  config.misconception_share = 1;
  config.misconception_probability = 0.5;
  config.slip_probability = 0.5;
  const auto task = MakeChainTask(config);
  constexpr double kExpected = 0.5 * (0.5 + 0.5 / 11);
  EXPECT_NEAR(task->ExpectedAccuracy("sloppy").value(), kExpected, 1e-12);
  constexpr uint64_t kProblems = 20'000;
  uint64_t num_right = 0;
  for (uint64_t index = 0; index < kProblems; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    num_right +=
        AnswerOf(task->Demonstrate(problem, "sloppy", kSeed, index)) == problem.reference_answer
            ? 1
            : 0;
  }
  const double deviation = std::sqrt(kExpected * (1 - kExpected) / kProblems);
  EXPECT_LT(std::abs(static_cast<double>(num_right) / kProblems - kExpected) / deviation, kMaxZ);
}

TEST(ChainDemonstrator, SloppySlipsFreelyWithoutMisconceptions) {
  TaskConfig config = ChainConfig(5, 5);
  config.misconception_share = 0;
  config.slip_probability = 0.2;
  const auto task = MakeChainTask(config);
  EXPECT_NEAR(task->ExpectedAccuracy("sloppy").value(), 0.3888, 1e-6);
  constexpr uint64_t kProblems = 20'000;
  uint64_t num_right = 0;
  for (uint64_t index = 0; index < kProblems; ++index) {
    const Problem problem = task->MakeProblem(Split::kEvaluate, kSeed, index);
    num_right +=
        AnswerOf(task->Demonstrate(problem, "sloppy", kSeed, index)) == problem.reference_answer
            ? 1
            : 0;
  }
  const double deviation = std::sqrt(0.3888 * (1 - 0.3888) / kProblems);
  EXPECT_LT(std::abs(static_cast<double>(num_right) / kProblems - 0.3888) / deviation, kMaxZ);
}

TEST(ChainDemonstrator, AveragesItsAccuracyOverTheLengths) {
  const double five = MakeChainTask(ChainConfig(5, 5))->ExpectedAccuracy("sloppy").value();
  const double six = MakeChainTask(ChainConfig(6, 6))->ExpectedAccuracy("sloppy").value();
  const double both = MakeChainTask(ChainConfig(5, 6))->ExpectedAccuracy("sloppy").value();
  EXPECT_NEAR(five, 0.5257110898046051, 1e-12);
  EXPECT_NEAR(both, (five + six) / 2, 1e-12);
}

TEST(ChainDemonstrator, NamesTheDemonstratorsThatExist) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  EXPECT_THAT(task->demonstrators(), ::testing::ElementsAre("exact", "sloppy"));
  EXPECT_EQ(task->ExpectedAccuracy("careful"), std::nullopt);
  try {
    task->Demonstrate(task->MakeProblem(Split::kTrain, kSeed, 0), "careful", kSeed, 0);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("'careful'"));
  }
}

}  // namespace
}  // namespace ponder
