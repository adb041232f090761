#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "tasks/task.h"
#include "tests/tasks/chain_fixture.h"

namespace ponder {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(TaskRegistry, MakesEveryTypeThatItLists) {
  const std::vector<std::string> types = TaskTypes();
  EXPECT_THAT(types, Contains("chain"));
  EXPECT_TRUE(std::is_sorted(types.begin(), types.end()));
  for (const std::string& type : types) {
    TaskConfig config = testing::ChainConfig(1, 2);
    config.type = type;
    EXPECT_NE(MakeTask(config), nullptr) << type;
  }
}

TEST(TaskRegistry, NamesTheTypesThatExistWhenOneDoesNot) {
  TaskConfig config = testing::ChainConfig(1, 2);
  config.type = "chane";
  try {
    MakeTask(config);
    FAIL() << "expected an error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("chain"));
    EXPECT_THAT(error.what(), HasSubstr("'chane'"));
  }
}

TEST(Prompt, CarriesTheProblemEncodedOnceAndReadable) {
  const auto task = MakeTask(testing::ChainConfig(5, 6));
  const Problem problem = task->MakeProblem(Split::kTrain, /*seed=*/7, /*index=*/3);
  const Prompt prompt = MakePrompt(*task, "chain", problem, /*ordinal=*/99);
  EXPECT_EQ(prompt.ordinal, 99U);
  EXPECT_EQ(prompt.task, "chain");
  EXPECT_EQ(prompt.problem, 3U);
  EXPECT_EQ(task->tokenizer().Decode(prompt.token_ids), problem.text);
  EXPECT_EQ(prompt.reference_answer, problem.reference_answer);
}

TEST(Prompt, GivesItsProblemBack) {
  const auto task = MakeTask(testing::ChainConfig(5, 6));
  const Problem problem = task->MakeProblem(Split::kEvaluate, /*seed=*/7, /*index=*/3);
  const Problem back = ProblemOf(MakePrompt(*task, "chain", problem, /*ordinal=*/99));
  EXPECT_EQ(back.index, problem.index);
  EXPECT_EQ(back.text, problem.text);
  EXPECT_EQ(back.reference_answer, problem.reference_answer);
  EXPECT_EQ(back.metadata, problem.metadata);
  EXPECT_EQ(ProblemOf(Prompt{}).text, "");
}

}  // namespace
}  // namespace ponder
