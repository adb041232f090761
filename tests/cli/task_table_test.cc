// What the reader of experiments knows about tasks is what the tasks say of themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/experiment_schema.h"
#include "tasks/task.h"

namespace ponder {
namespace {

TEST(TaskTableTest, TheReaderTakesTheTypesThatExist) {
  std::vector<std::string> types = NamesOf(TaskKinds());
  std::sort(types.begin(), types.end());
  EXPECT_EQ(types, TaskTypes());
}

TEST(TaskTableTest, TheReaderTakesTheDemonstratorsOfEachTask) {
  for (const std::string& type : TaskTypes()) {
    const std::unique_ptr<Task> task = MakeTask({.name = "some", .type = type});
    EXPECT_EQ(DemonstratorsOf(type), task->demonstrators()) << type;
  }
}

TEST(TaskTableTest, TheReaderKnowsWhichTasksHaveReferenceAnswers) {
  for (const std::string& type : TaskTypes()) {
    const std::unique_ptr<Task> task = MakeTask({.name = "some", .type = type});
    const Problem problem = task->MakeProblem(Split::kTrain, /*seed=*/1, /*index=*/0);
    if (!problem.reference_answer.empty()) {
      EXPECT_EQ(AnswerRewardOf(type), "exact_answer") << type;
      EXPECT_THROW(task->Verify(problem, ""), Error) << type;
    } else {
      EXPECT_EQ(AnswerRewardOf(type), "task_verifier") << type;
      EXPECT_FALSE(task->Verify(problem, "").passed) << type;
    }
  }
}

}  // namespace
}  // namespace ponder
