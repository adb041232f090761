// The reward for problems without a reference answer, over a whole request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/answers/final_answer.h"
#include "core/base/wire.h"
#include "core/config/experiment.h"
#include "reward/service/judge.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr const char* kExperiment = R"(
config_version: 1
run: {name: rewards, seed: 1, dir: runs}
tasks:
  countdown: {type: countdown, modulus: 5, max_attempts: 2}
evaluation:
  - {name: heldout, task: countdown, num_prompts: 4, num_samples: 2, every_steps: 4}
models:
  policy: {init: {preset: tiny}}
stages:
  - name: reason
    algorithm: grpo
    task: countdown
    num_steps: 2
    rewards:
      - {name: answer, type: task_verifier}
      - {name: form, type: format, weight: 0.25}
)";
const char* const kSolution = "4 * 2 = 3 - 1 = 2 - 2 = 0 ;";

v1::ScoreRequest RequestOf(const std::string& text, const std::string& reward_set,
                           const std::string& problem = "1 2 4 ? 2 >") {
  Prompt prompt;
  prompt.task = "countdown";
  prompt.token_ids = {1, 2, 4, 11, 2, 8};
  prompt.messages = {{"user", problem}};
  v1::ScoreRequest request;
  request.set_run_id("run");
  request.set_attempt(1);
  request.set_reward_set(reward_set);
  *request.mutable_prompt() = ToWire(prompt);
  v1::Completion* completion = request.add_completions();
  completion->set_text(text);
  completion->set_finish_reason(v1::FINISH_REASON_STOP);
  return request;
}

v1::SourceReward AnswerReward(const v1::ScoreRequest& request) {
  Judge judge(ParseExperiment(kExperiment, "test", {}), testing::Context());
  return judge.Score(request).scores(0).rewards(0);
}

TEST(TaskVerifier, RewardsWhatTheTaskAcceptsAndSaysWhy) {
  const v1::SourceReward right = AnswerReward(RequestOf(kSolution, "stage/reason"));
  EXPECT_EQ(right.value(), 1.0);
  EXPECT_EQ(right.rule(), "solved");
  const v1::SourceReward wrong =
      AnswerReward(RequestOf("4 * 2 = 3 + 1 = 4 - 2 = 0 ;", "stage/reason"));
  EXPECT_EQ(wrong.value(), 0.0);
  EXPECT_EQ(wrong.rule(), "wrong arithmetic");
}

TEST(TaskVerifier, IsTheEvaluationsDefaultForTasksWithoutReferenceAnswers) {
  const v1::SourceReward reward = AnswerReward(RequestOf(kSolution, "evaluation/heldout"));
  EXPECT_EQ(reward.source(), "answer");
  EXPECT_EQ(reward.value(), 1.0);
  EXPECT_EQ(reward.verdict(), v1::VERDICT_KIND_SCORED);
}

TEST(TaskVerifier, NeverRewardsATruncatedOrOverlongResponse) {
  v1::ScoreRequest request = RequestOf(kSolution, "stage/reason");
  request.mutable_completions(0)->set_finish_reason(v1::FINISH_REASON_LENGTH);
  EXPECT_EQ(AnswerReward(request).value(), 0.0);
  EXPECT_EQ(AnswerReward(request).rule(), "truncated");
  const v1::SourceReward overlong =
      AnswerReward(RequestOf(std::string(kMaxJudgedBytes, ' ') + kSolution, "stage/reason"));
  EXPECT_EQ(overlong.value(), 0.0);
  EXPECT_EQ(overlong.rule(), "too long");
}

TEST(TaskVerifier, RefusesAProblemThatTheTaskCannotRead) {
  const v1::SourceReward reward =
      AnswerReward(RequestOf(kSolution, "stage/reason", "reach 2 from 1, 2 and 4"));
  EXPECT_EQ(reward.verdict(), v1::VERDICT_KIND_REFUSED);
  EXPECT_THAT(reward.rule(), HasSubstr("reach 2 from 1, 2 and 4"));
}

}  // namespace
}  // namespace ponder
