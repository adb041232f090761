#include "reward/service/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/answers/final_answer.h"
#include "core/base/error.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::Experiment;
using ::ponder::testing::kRight;
using ::ponder::testing::PromptOf;
using ::ponder::testing::RequestOf;
using ::testing::HasSubstr;

std::unique_ptr<Judge> MakeJudge(const ExperimentConfig& experiment) {
  return std::make_unique<Judge>(experiment, testing::Context());
}

TEST(Judge, ScoresEveryCompletionByEverySourceInTheExperimentsOrder) {
  v1::ScoreRequest request = RequestOf({kRight, "4 + 8 = 2 ; # 2", "# 1"});
  request.mutable_completions(2)->set_sample_index(7);
  const v1::ScoreReply reply = MakeJudge(Experiment())->Score(request);
  ASSERT_EQ(reply.scores_size(), 3);
  EXPECT_EQ(reply.scores(0).sample_index(), 0U);
  EXPECT_EQ(reply.scores(2).sample_index(), 7U) << "the caller's own index comes back";
  const double values[3][2] = {{1, 1}, {0, 1}, {1, 0}};  // answer, form
  for (int row = 0; row < 3; ++row) {
    ASSERT_EQ(reply.scores(row).rewards_size(), 2);
    const v1::SourceReward& answer = reply.scores(row).rewards(0);
    const v1::SourceReward& form = reply.scores(row).rewards(1);
    EXPECT_EQ(answer.source(), "answer");
    EXPECT_EQ(answer.weight(), 2.0);
    EXPECT_EQ(answer.value(), values[row][0]) << row;
    EXPECT_EQ(form.source(), "form");
    EXPECT_EQ(form.weight(), 0.25);
    EXPECT_EQ(form.value(), values[row][1]) << row;
    EXPECT_EQ(answer.verdict(), v1::VERDICT_KIND_SCORED);
    EXPECT_EQ(form.verdict(), v1::VERDICT_KIND_SCORED);
  }
}

TEST(Judge, SaysWhichRuleDecided) {
  struct Case {
    const char* what;
    std::string text;
    bool truncated;
    double answer;
    const char* answer_rule;
    double form;
    const char* form_rule;
  };
  const std::vector<Case> cases{
      {"right", kRight, false, 1, "equal", 1, "well formed"},
      {"wrong", "4 + 8 = 2 ; # 2", false, 0, "different", 1, "well formed"},
      {"no answer", "4 + 8 = 1 ;", false, 0, "no answer", 0, "not well formed"},
      {"echo of the prompt", "4 + 8 >", false, 0, "no answer", 0, "not well formed"},
      {"two answers", "4 + 8 = 2 ; # 2 # 1", false, 0, "hedged", 0, "not well formed"},
      {"truncated though right", kRight, true, 0, "truncated", 0, "truncated"},
      {"longer than judges read", std::string(kMaxJudgedBytes, ' ') + kRight, false, 1, "equal", 0,
       "too long"},
  };
  const auto judge = MakeJudge(Experiment());
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    v1::ScoreRequest request = RequestOf({c.text});
    if (c.truncated) {
      request.mutable_completions(0)->set_finish_reason(v1::FINISH_REASON_LENGTH);
    }
    const v1::ScoreReply reply = judge->Score(request);
    const v1::CompletionScore& score = reply.scores(0);
    EXPECT_EQ(score.rewards(0).value(), c.answer);
    EXPECT_EQ(score.rewards(0).rule(), c.answer_rule);
    EXPECT_EQ(score.rewards(1).value(), c.form);
    EXPECT_EQ(score.rewards(1).rule(), c.form_rule);
  }
}

TEST(Judge, UsesTheSourcesOfTheSetThatIsNamed) {
  const v1::ScoreReply reply =
      MakeJudge(Experiment())->Score(RequestOf({kRight}, "evaluation/heldout"));
  ASSERT_EQ(reply.scores(0).rewards_size(), 1);
  EXPECT_EQ(reply.scores(0).rewards(0).source(), "answer");
  EXPECT_EQ(reply.scores(0).rewards(0).weight(), 1.0);
}

TEST(Judge, RefusesAGoldThatCannotBeRead) {
  v1::ScoreRequest request = RequestOf({kRight});
  *request.mutable_prompt() = ToWire(PromptOf(/*gold=*/""));
  const v1::ScoreReply reply = MakeJudge(Experiment())->Score(request);
  EXPECT_EQ(reply.scores(0).rewards(0).verdict(), v1::VERDICT_KIND_REFUSED);
  EXPECT_EQ(reply.scores(0).rewards(0).rule(), "unparsable gold");
  EXPECT_EQ(reply.scores(0).rewards(1).verdict(), v1::VERDICT_KIND_SCORED);
}

TEST(Judge, RefusesAProblemThatCannotBeRead) {
  v1::ScoreRequest request = RequestOf({kRight});
  request.mutable_prompt()->mutable_messages(0)->set_content("what is 4 plus 8?");
  const v1::ScoreReply reply = MakeJudge(Experiment())->Score(request);
  EXPECT_EQ(reply.scores(0).rewards(0).verdict(), v1::VERDICT_KIND_SCORED);
  EXPECT_EQ(reply.scores(0).rewards(1).verdict(), v1::VERDICT_KIND_REFUSED);
  EXPECT_THAT(reply.scores(0).rewards(1).rule(), HasSubstr("what is 4 plus 8?"));
}

TEST(Judge, IsAPureFunctionOfTheRequest) {
  const v1::ScoreRequest request = RequestOf({kRight, "# 3", ""});
  const auto judge = MakeJudge(Experiment());
  const std::string first = judge->Score(request).SerializeAsString();
  EXPECT_EQ(judge->Score(request).SerializeAsString(), first);
  EXPECT_EQ(MakeJudge(Experiment())->Score(request).SerializeAsString(), first);
}

TEST(Judge, RefusesRequestsThatBreakTheContract) {
  const auto judge = MakeJudge(Experiment());
  const auto expect_refused = [&](const v1::ScoreRequest& request, const char* field) {
    try {
      judge->Score(request);
      ADD_FAILURE() << "accepted; expected a refusal of " << field;
    } catch (const ProtocolError& error) {
      EXPECT_THAT(error.what(), HasSubstr(field));
    }
  };
  expect_refused(RequestOf({kRight}, "stage/raison"), "reward_set");
  expect_refused(RequestOf({kRight}, "reason"), "reward_set");
  expect_refused(RequestOf({kRight}, "stage/imitate"), "reward_set");
  expect_refused(RequestOf({kRight}, ""), "reward_set");
  expect_refused(RequestOf({}), "completions");
  expect_refused(RequestOf(std::vector<std::string>(4097, "")), "completions");
  v1::ScoreRequest request = RequestOf({kRight});
  request.mutable_prompt()->set_task("other");
  expect_refused(request, "prompt.task");
  request = RequestOf({kRight});
  request.mutable_prompt()->clear_token_ids();
  expect_refused(request, "token_ids");
  request = RequestOf({kRight});
  request.mutable_completions(0)->set_finish_reason(v1::FINISH_REASON_UNSPECIFIED);
  EXPECT_THROW(judge->Score(request), ProtocolError);
}

TEST(Judge, RefusesAnExperimentThatNamesNoSuchSourceOrTask) {
  ExperimentConfig experiment = Experiment();
  experiment.stages.back().rewards.front().type = "exact";
  try {
    const auto judge = MakeJudge(experiment);
    FAIL() << "expected an error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("exact_answer, format, task_verifier, command, grpc, http"));
    EXPECT_THAT(error.what(), HasSubstr("'exact'"));
  }
  experiment = Experiment();
  experiment.stages.back().task = "chane";
  EXPECT_THROW(MakeJudge(experiment), ConfigError);
}

class NamedSource : public CompletionSource {
 public:
  explicit NamedSource(double value, bool throws = false) : value_(value), throws_(throws) {}

 protected:
  SourceReward JudgeOne(const Prompt& /*prompt*/,
                        const JudgedCompletion& /*completion*/) const override {
    if (throws_) throw std::runtime_error("the sandbox is gone");
    SourceReward reward;
    reward.value = value_;
    reward.rule = "as told";
    return reward;
  }

 private:
  const double value_;
  const bool throws_;
};

// Answers for one completion, however many there are.
class ForgetfulSource : public RewardSource {
 public:
  std::vector<SourceReward> Judge(const JudgedGroup& /*group*/) override { return {{}}; }
};

class JudgeByTest : public ::testing::Test {
 protected:
  std::vector<SourceReward> By(RewardSource&& source) {
    return JudgeBy(source, {.name = "tests", .type = "unit_tests", .weight = 3}, group_);
  }

  const Prompt prompt_ = PromptOf();
  const JudgedGroup group_{prompt_, {{.text = kRight}, {.text = "# 2"}}};
};

TEST_F(JudgeByTest, GivesEveryRewardItsSourceAndWeight) {
  const std::vector<SourceReward> rewards = By(NamedSource(0.5));
  ASSERT_EQ(rewards.size(), 2U);
  for (const SourceReward& reward : rewards) {
    EXPECT_EQ(reward.verdict, VerdictKind::kScored);
    EXPECT_EQ(reward.value, 0.5);
    EXPECT_EQ(reward.source, "tests");
    EXPECT_EQ(reward.weight, 3.0);
  }
}

TEST_F(JudgeByTest, NeverTurnsATroubleOfTheServiceIntoAScore) {
  const auto expect_failed = [](const std::vector<SourceReward>& rewards, const char* rule) {
    ASSERT_EQ(rewards.size(), 2U);
    for (const SourceReward& reward : rewards) {
      EXPECT_EQ(reward.verdict, VerdictKind::kInfrastructureError);
      EXPECT_THAT(reward.rule, HasSubstr(rule));
      EXPECT_EQ(reward.source, "tests");
      EXPECT_EQ(reward.weight, 3.0);
    }
  };
  expect_failed(By(NamedSource(1, /*throws=*/true)), "the sandbox is gone");
  expect_failed(By(NamedSource(std::numeric_limits<double>::quiet_NaN())), "not finite");
  expect_failed(By(NamedSource(std::numeric_limits<double>::infinity())), "not finite");
  expect_failed(By(ForgetfulSource()), "expected 2 verdicts, got 1");
}

TEST(Judge, SharesASourceAmongSetsThatAreJudgedAlike) {
  const std::string starts = ::testing::TempDir() + "ponder_judge_starts";
  std::remove(starts.c_str());
  ExperimentConfig experiment = Experiment();
  RewardConfig command{.name = "own", .type = "command"};
  command.command = {"/bin/sh", "-c", "echo x >> " + starts + "; cat"};
  experiment.stages.back().rewards = {command};
  experiment.evaluation.front().rewards = {command};
  const auto judge = MakeJudge(experiment);
  v1::ScoreRequest request = RequestOf({kRight});
  // `cat` gives the request back, which is no answer, so it has surely begun by then.
  judge->Score(request);
  std::ifstream stream(starts);
  std::string text;
  std::getline(stream, text, '\0');
  EXPECT_EQ(text, "x\n");
}

}  // namespace
}  // namespace ponder
