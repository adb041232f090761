// A user's program as a source of reward, good and bad.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "reward/service/judge.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::Context;
using ::ponder::testing::kRight;
using ::ponder::testing::PromptOf;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Binary(const std::string& name) {
  return std::string(std::getenv("PONDER_BIN_DIR")) + "/" + name;
}

class CommandRewardTest : public ::testing::Test {
 protected:
  CommandRewardTest() { std::signal(SIGPIPE, SIG_IGN); }

  void Make(std::vector<std::string> command, double timeout_s = 60) {
    config_.name = "own";
    config_.type = "command";
    config_.command = std::move(command);
    config_.timeout_s = timeout_s;
    source_ = MakeCommandReward(config_, *MakeTask(testing::Experiment().tasks.front()), Context());
  }
  void MakeFake(std::vector<std::string> arguments, double timeout_s = 60) {
    arguments.insert(arguments.begin(), Binary("fake_reward"));
    Make(std::move(arguments), timeout_s);
  }
  // The verdicts on a right, a wrong and a truncated response.
  std::vector<SourceReward> Judge() {
    return JudgeBy(*source_, config_,
                   {prompt_,
                    {{.text = kRight},
                     {.text = "4 + 8 = 2 ; # 2"},
                     {.text = kRight, .finish_reason = FinishReason::kLength}}});
  }
  // The rule of the infrastructure error that all verdicts are.
  std::string Failure() {
    std::string rule;
    for (const SourceReward& reward : Judge()) {
      EXPECT_EQ(reward.verdict, VerdictKind::kInfrastructureError) << reward.rule;
      EXPECT_EQ(reward.value, 0) << "of an error, which no score is made from";
      rule = reward.rule;
    }
    return rule;
  }
  void ExpectGoodScores() {
    const std::vector<SourceReward> rewards = Judge();
    ASSERT_EQ(rewards.size(), 3U);
    for (size_t row = 0; row < 3; ++row) {
      EXPECT_EQ(rewards[row].verdict, VerdictKind::kScored) << rewards[row].rule;
      EXPECT_EQ(rewards[row].value, row == 1 ? 0 : 1);
    }
  }

  const Prompt prompt_ = PromptOf();
  RewardConfig config_;
  std::unique_ptr<RewardSource> source_;
};

TEST_F(CommandRewardTest, ScoresAGroupByOneLineEachWay) {
  MakeFake({"good"});
  ExpectGoodScores();
  ExpectGoodScores();
}

TEST_F(CommandRewardTest, IsStartedAgainAfterItDied) {
  const std::string marker = ::testing::TempDir() + "ponder_die_once";
  std::filesystem::remove(marker);
  MakeFake({"die_once", marker});
  EXPECT_THAT(Failure(), AllOf(HasSubstr("it ended with exit code 3"),
                               HasSubstr("NameError: name 'judge' is not defined")));
  ExpectGoodScores();
}

TEST_F(CommandRewardTest, AHangEndsWithTheDeadlineAndANewProgramFollows) {
  MakeFake({"hang"}, /*timeout_s=*/0.5);
  EXPECT_THAT(Failure(), HasSubstr("no answer within 0.5 s"));
  EXPECT_THAT(Failure(), HasSubstr("no answer within")) << "by the next program";
}

TEST_F(CommandRewardTest, WhoLiesIsNotBelieved) {
  struct Case {
    const char* mode;
    const char* rule;
  };
  const std::vector<Case> cases{
      {"short", "expected 3 scores, one per response, got 2"},
      {"nan", "expected one line of JSON (diagnostics belong on stderr; NaN is no JSON), got"},
      {"high", "scores[0]: expected a number from 0 to 1, got 7"},
      {"text", "expected scores that are numbers"},
      {"wrong_id", "expected an answer with \"id\": 1, got"},
      {"complain", "it says: the database is away"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.mode);
    MakeFake({c.mode});
    EXPECT_THAT(Failure(), HasSubstr(c.rule));
  }
}

TEST_F(CommandRewardTest, MayTakeAPromptOutWhoseReferenceIsUnusable) {
  MakeFake({"refuse"});
  for (const SourceReward& reward : Judge()) {
    EXPECT_EQ(reward.verdict, VerdictKind::kRefused);
    EXPECT_EQ(reward.rule, "the reference is no number");
  }
}

TEST_F(CommandRewardTest, ALateAnswerIsNeverThatOfTheNextGroup) {
  MakeFake({"slow", "400"}, /*timeout_s=*/0.05);
  Failure();
  Failure();
  MakeFake({"slow", "1"});
  ExpectGoodScores();
}

TEST_F(CommandRewardTest, ACommandThatCannotBeExecutedIsToldAtOnce) {
  try {
    Make({"./no_such_reward.py"});
    FAIL() << "made";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "reward 'own': cannot execute './no_such_reward.py': No such file or directory");
  }
}

TEST_F(CommandRewardTest, TheExampleInPythonScoresByTheLastWord) {
  if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3";
  Make({"python3",
        std::string(std::getenv("PONDER_SOURCE_DIR")) + "/examples/rewards/command_reward.py"});
  ExpectGoodScores();
}

}  // namespace
}  // namespace ponder
