// A user's server as a source of reward, good and bad.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/reward/fake_grpc_judge.h"
// After gRPC's headers.
#include "core/base/error.h"
#include "reward/external/command_program.h"
#include "reward/service/judge.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::Context;
using ::ponder::testing::FakeGrpcJudge;
using ::ponder::testing::kRight;
using ::ponder::testing::LastWordScores;
using ::ponder::testing::PromptOf;
using ::testing::HasSubstr;

std::vector<SourceReward> JudgeAt(const std::string& address, double timeout_s = 60) {
  RewardConfig config{.name = "own", .type = "grpc", .address = address};
  config.timeout_s = timeout_s;
  const auto source =
      MakeGrpcReward(config, *MakeTask(testing::Experiment().tasks.front()), Context());
  const Prompt prompt = PromptOf();
  return JudgeBy(*source, config, {prompt, {{.text = kRight}, {.text = "4 + 8 = 2 ; # 2"}}});
}

std::string FailureAt(const std::string& address, double timeout_s = 60) {
  const std::vector<SourceReward> rewards = JudgeAt(address, timeout_s);
  for (const SourceReward& reward : rewards) {
    EXPECT_EQ(reward.verdict, VerdictKind::kInfrastructureError) << reward.rule;
  }
  return rewards.at(0).rule;
}

void ExpectGoodScores(const std::vector<SourceReward>& rewards) {
  ASSERT_EQ(rewards.size(), 2U);
  EXPECT_EQ(rewards[0].verdict, VerdictKind::kScored) << rewards[0].rule;
  EXPECT_EQ(rewards[0].value, 1);
  EXPECT_EQ(rewards[1].value, 0);
}

TEST(GrpcRewardTest, ScoresAGroupByOneCall) {
  FakeGrpcJudge judge([](const v1::JudgeRequest& request, v1::JudgeReply* reply) {
    EXPECT_EQ(request.task(), "chain");
    EXPECT_EQ(request.prompt(), "4 + 8 >");
    EXPECT_EQ(request.reference(), "1");
    EXPECT_EQ(request.truncated_size(), 2);
    *reply->mutable_scores() = LastWordScores(request);
    return grpc::Status::OK;
  });
  ExpectGoodScores(JudgeAt(judge.address()));
  EXPECT_EQ(judge.num_calls(), 1);
}

TEST(GrpcRewardTest, TriesAgainWhileTheServerIsUnavailable) {
  FakeGrpcJudge judge([&judge](const v1::JudgeRequest& request, v1::JudgeReply* reply) {
    if (judge.num_calls() < 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "loading");
    *reply->mutable_scores() = LastWordScores(request);
    return grpc::Status::OK;
  });
  ExpectGoodScores(JudgeAt(judge.address()));
  EXPECT_EQ(judge.num_calls(), 3);
}

TEST(GrpcRewardTest, DoesNotRepeatWhatWouldFailAgain) {
  FakeGrpcJudge judge([](const v1::JudgeRequest&, v1::JudgeReply*) {
    return grpc::Status(grpc::StatusCode::UNKNOWN, "Exception calling application: 'x'");
  });
  EXPECT_THAT(FailureAt(judge.address()), HasSubstr("Exception calling application: 'x'"));
  EXPECT_EQ(judge.num_calls(), 1);
}

TEST(GrpcRewardTest, AHangEndsWithTheDeadline) {
  FakeGrpcJudge judge([&judge](const v1::JudgeRequest&, v1::JudgeReply*) {
    judge.WaitForEnd();
    return grpc::Status::OK;
  });
  EXPECT_THAT(FailureAt(judge.address(), /*timeout_s=*/0.1), HasSubstr("deadline"));
}

TEST(GrpcRewardTest, NobodyListening) {
  EXPECT_THAT(FailureAt("127.0.0.1:1"), HasSubstr("UserReward.Judge at 127.0.0.1:1 failed"));
}

TEST(GrpcRewardTest, WhoLiesIsNotBelieved) {
  std::vector<double> scores;
  FakeGrpcJudge judge([&scores](const v1::JudgeRequest&, v1::JudgeReply* reply) {
    reply->mutable_scores()->Assign(scores.begin(), scores.end());
    return grpc::Status::OK;
  });
  scores = {1};
  EXPECT_THAT(FailureAt(judge.address()), HasSubstr("expected 2 scores, one per response, got 1"));
  scores = {0, std::nan("")};
  EXPECT_THAT(FailureAt(judge.address()), HasSubstr("scores[1]: expected a number from 0 to 1"));
  scores = {-0.5, 0};
  EXPECT_THAT(FailureAt(judge.address()), HasSubstr("got -0.5"));
}

TEST(GrpcRewardTest, MayTakeAPromptOut) {
  FakeGrpcJudge judge([](const v1::JudgeRequest&, v1::JudgeReply* reply) {
    reply->set_refused("no reference");
    return grpc::Status::OK;
  });
  EXPECT_EQ(JudgeAt(judge.address()).at(0).verdict, VerdictKind::kRefused);
}

TEST(GrpcRewardTest, TheExampleGeneratesItsStubsWhereGitDoesNotLook) {
  const std::string source = std::getenv("PONDER_SOURCE_DIR");
  std::ifstream stream(source + "/examples/rewards/grpc_reward.py");
  int num_folders = 0;
  for (std::string word; stream >> word;) {
    const size_t folder = word.find("_out=");
    if (folder == std::string::npos) continue;
    ++num_folders;
    EXPECT_TRUE(word.substr(folder + 5).starts_with("build/")) << word;
  }
  EXPECT_EQ(num_folders, 2);
}

TEST(GrpcRewardTest, TheExampleInPythonScoresByTheLastWord) {
  // PONDER_PYTHON: an interpreter that has the packages, when python3 has not.
  const char* chosen = std::getenv("PONDER_PYTHON");
  const std::string python = chosen != nullptr ? chosen : "python3";
  if (std::system((python + " -c 'import grpc, grpc_tools' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << python << " has no grpcio and grpcio-tools";
  }
  const std::string source = std::getenv("PONDER_SOURCE_DIR");
  const std::string folder = ::testing::TempDir() + "ponder_python_reward";
  std::filesystem::create_directories(folder);
  ASSERT_EQ(std::system((python + " -m grpc_tools.protoc -I " + source + "/proto --python_out=" +
                         folder + " --grpc_python_out=" + folder + " ponder/v1/user_reward.proto")
                            .c_str()),
            0);
  CommandProgram server(
      {"env", "PYTHONPATH=" + folder, python, source + "/examples/rewards/grpc_reward.py", "0"},
      [](std::string_view line) { std::cerr << line << "\n"; });
  const std::string hello = server.Exchange(
      "", std::chrono::steady_clock::now() + std::chrono::minutes(1), [] { return false; });
  ASSERT_THAT(hello, HasSubstr("serves on 127.0.0.1:"));
  ExpectGoodScores(JudgeAt(hello.substr(hello.find("127"))));
}

}  // namespace
}  // namespace ponder
