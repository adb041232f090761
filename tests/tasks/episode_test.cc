#include <gtest/gtest.h>

#include <string>

#include "tasks/task.h"
#include "tests/tasks/chain_fixture.h"
#include "tests/tasks/guess_task.h"

namespace ponder {
namespace {

using ::ponder::testing::GuessTask;

Problem Hidden(const std::string& number) {
  Problem problem;
  problem.text = "?";
  problem.reference_answer = number;
  return problem;
}

TEST(Episode, EndsAfterOneTurnUnlessATaskSaysOtherwise) {
  const auto task = MakeTask(testing::ChainConfig(5, 6));
  const auto episode = task->NewEpisode(task->MakeProblem(Split::kTrain, /*seed=*/1, /*index=*/0));
  episode->Reset();
  const TurnResult result = episode->Step("# 3");
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.observation, "");
}

TEST(Episode, AnswersEveryTurnUntilTheTaskIsSolved) {
  const GuessTask task(/*num_numbers=*/11);
  const auto episode = task.NewEpisode(Hidden("7"));
  episode->Reset();
  TurnResult result = episode->Step("5");
  EXPECT_FALSE(result.done);
  EXPECT_EQ(result.observation, "higher");
  result = episode->Step("9");
  EXPECT_FALSE(result.done);
  EXPECT_EQ(result.observation, "lower");
  EXPECT_TRUE(episode->Step("7").done);
}

TEST(Episode, EndsWhenItsTurnsAreUsedUp) {
  const GuessTask task(/*num_numbers=*/11);
  const auto episode = task.NewEpisode(Hidden("7"));
  episode->Reset();
  for (int turn = 1; turn < GuessTask::kMaxTurns; ++turn) EXPECT_FALSE(episode->Step("0").done);
  EXPECT_TRUE(episode->Step("0").done);
}

TEST(Episode, StartsOverAfterReset) {
  const GuessTask task(/*num_numbers=*/11);
  const auto episode = task.NewEpisode(Hidden("7"));
  episode->Reset();
  for (int turn = 1; turn < GuessTask::kMaxTurns; ++turn) episode->Step("0");
  episode->Reset();
  EXPECT_FALSE(episode->Step("0").done) << "the turns of before count no more";
}

TEST(Episode, ObservesInTheTasksOwnVocabulary) {
  const GuessTask task(/*num_numbers=*/11);
  for (uint64_t index = 0; index < 50; ++index) {
    const Problem problem = task.MakeProblem(Split::kTrain, /*seed=*/3, index);
    const auto episode = task.NewEpisode(problem);
    episode->Reset();
    // Halves the range: four turns are enough for eleven numbers.
    int64_t low = 0;
    int64_t high = 10;
    TurnResult result{.done = false, .observation = {}};
    int64_t guess = -1;
    while (!result.done) {
      guess = (low + high) / 2;
      result = episode->Step(std::to_string(guess));
      if (result.done) break;
      EXPECT_EQ(task.tokenizer().Decode(task.tokenizer().Encode(result.observation)),
                result.observation);
      (result.observation == "higher" ? low : high) =
          guess + (result.observation == "higher" ? 1 : -1);
    }
    EXPECT_EQ(std::to_string(guess), problem.reference_answer);
  }
}

}  // namespace
}  // namespace ponder
