#include "reward/service/reward_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "tests/core/base/fake_trainer.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::FakeTrainer;
using ::ponder::testing::kExperimentYaml;
using ::ponder::testing::kRight;
using ::ponder::testing::RequestOf;
using ::ponder::testing::WaitUntil;
using ::testing::HasSubstr;

// A host and the trainer that it registers with.
class RewardHostTest : public ::testing::Test {
 protected:
  RewardHostTest() { AnswerWith(/*attempt=*/1, kExperimentYaml); }

  ~RewardHostTest() override {
    stop_ = true;
    if (run_.valid()) run_.wait();
  }

  void AnswerWith(uint32_t attempt, const std::string& yaml) {
    v1::RegisterReply answer = trainer_.answer();
    answer.set_attempt(attempt);
    answer.set_experiment_yaml(yaml);
    trainer_.Answer(answer);
  }

  RewardHostOptions Options() const {
    RewardHostOptions options;
    options.trainer = trainer_.address();
    options.name = "reward5";
    return options;
  }

  void Make() {
    host_ = std::make_unique<RewardHost>(
        Options(), channels_, [this] { return stop_.load(); }, log_);
    stub_ = v1::Reward::NewStub(channels_.Connect(host_->address()));
  }

  void Start() {
    Make();
    run_ = std::async(std::launch::async, [this] { host_->Run(); });
  }

  grpc::StatusCode Score(uint32_t attempt, v1::ScoreReply* reply) {
    v1::ScoreRequest request = RequestOf({kRight});
    request.set_attempt(attempt);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    return stub_->Score(&context, request, reply).error_code();
  }
  grpc::StatusCode Score(uint32_t attempt) {
    v1::ScoreReply reply;
    return Score(attempt, &reply);
  }
  bool WaitUntilItScores(uint32_t attempt) {
    return WaitUntil([&] { return Score(attempt) == grpc::StatusCode::OK; });
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  FakeTrainer trainer_;
  TcpChannelFactory channels_{/*allow_remote=*/false};
  std::atomic<bool> stop_{false};
  std::unique_ptr<RewardHost> host_;
  std::unique_ptr<v1::Reward::Stub> stub_;
  std::future<void> run_;
};

TEST_F(RewardHostTest, RegistersTheAddressThatItServesOn) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  const v1::RegisterRequest request = trainer_.registrations().front();
  EXPECT_EQ(request.role(), v1::ROLE_REWARD);
  EXPECT_EQ(request.name(), "reward5");
  EXPECT_EQ(request.address(), host_->address());
  EXPECT_THAT(request.address(), ::testing::StartsWith("127.0.0.1:"));
  EXPECT_THAT(request.address(), ::testing::Not(::testing::EndsWith(":0")));
}

TEST_F(RewardHostTest, JudgesByTheExperimentOfTheTrainer) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  v1::ScoreReply reply;
  ASSERT_EQ(Score(/*attempt=*/1, &reply), grpc::StatusCode::OK);
  EXPECT_EQ(reply.scores(0).rewards(0).source(), "answer");
  EXPECT_EQ(reply.scores(0).rewards(0).value(), 1.0);
  EXPECT_EQ(reply.scores(0).rewards(0).weight(), 2.0);
}

TEST_F(RewardHostTest, JudgesNothingBeforeItRegistered) {
  Make();
  EXPECT_EQ(Score(/*attempt=*/1), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(trainer_.registrations().empty());
}

TEST_F(RewardHostTest, TakesTheNewExperimentOfANewAttemptOnItsOldPort) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  std::string yaml = kExperimentYaml;
  yaml.replace(yaml.find("weight: 2.0"), 11, "weight: 5.0");
  AnswerWith(/*attempt=*/2, yaml);
  trainer_.ForgetSessions();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/2));
  v1::ScoreReply reply;
  ASSERT_EQ(Score(/*attempt=*/2, &reply), grpc::StatusCode::OK);
  EXPECT_EQ(reply.scores(0).rewards(0).weight(), 5.0);
  EXPECT_EQ(Score(/*attempt=*/1), grpc::StatusCode::UNAVAILABLE) << "the old attempt is over";
  ASSERT_EQ(trainer_.registrations().size(), 2U);
  EXPECT_EQ(trainer_.registrations()[1].address(), trainer_.registrations()[0].address());
  EXPECT_NE(trainer_.registrations()[1].session(), trainer_.registrations()[0].session());
}

TEST_F(RewardHostTest, OutlivesARestartOfTheTrainer) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  trainer_.Stop();
  ASSERT_TRUE(WaitUntil([&] { return Score(1) == grpc::StatusCode::UNAVAILABLE; }))
      << "the session is lost";
  AnswerWith(/*attempt=*/2, kExperimentYaml);
  trainer_.Start();
  EXPECT_TRUE(WaitUntilItScores(/*attempt=*/2));
}

TEST_F(RewardHostTest, LeavesWhenTheRunHasEnded) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  v1::RenewLeasesReply reply;
  reply.set_run_ended(true);
  trainer_.AnswerRenewal(reply);
  run_.get();
  EXPECT_EQ(trainer_.registrations().size(), 1U);
}

TEST_F(RewardHostTest, LeavesWhenAskedTo) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  stop_ = true;
  run_.get();
}

TEST_F(RewardHostTest, LeavesWhenAskedToWhileTheTrainerIsAway) {
  Start();
  ASSERT_TRUE(WaitUntilItScores(/*attempt=*/1));
  trainer_.Stop();
  ASSERT_TRUE(WaitUntil([&] { return Score(1) == grpc::StatusCode::UNAVAILABLE; }));
  stop_ = true;
  run_.get();
}

TEST_F(RewardHostTest, GivesUpOnATrainerThatDoesNotComeBackInTime) {
  RewardHostOptions options = Options();
  options.reconnect_timeout = std::chrono::milliseconds(0);
  RewardHost host(
      options, channels_, [] { return false; }, log_);
  auto run = std::async(std::launch::async, [&host] { host.Run(); });
  ASSERT_TRUE(WaitUntil([&] { return trainer_.num_renewals() > 0; }));
  trainer_.Stop();
  try {
    run.get();
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.exit_code(), 75);
  }
}

TEST_F(RewardHostTest, ServicesWithoutANameHaveDifferentOnes) {
  EXPECT_NE(RewardHostOptions().name, RewardHostOptions().name);
}

TEST_F(RewardHostTest, GivesUpOnATrainerThatWasNeverThere) {
  trainer_.Stop();
  RewardHostOptions options = Options();
  options.connect_timeout = std::chrono::milliseconds(0);
  RewardHost host(
      options, channels_, [] { return false; }, log_);
  try {
    host.Run();
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kUnavailable);
  }
}

TEST_F(RewardHostTest, SaysWhatItDoesNotUnderstandInTheExperiment) {
  std::string yaml = kExperimentYaml;
  yaml.replace(yaml.find("type: format"), 12, "type: furmat");
  AnswerWith(/*attempt=*/1, yaml);
  Make();
  try {
    host_->Run();
    FAIL() << "expected an error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the experiment from the trainer"));
    EXPECT_THAT(error.what(), HasSubstr("furmat"));
  }
}

TEST_F(RewardHostTest, SaysWhenItsPortIsTaken) {
  Make();
  RewardHostOptions options = Options();
  options.listen = host_->address();
  try {
    const RewardHost second(
        options, channels_, [] { return false; }, log_);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_THAT(error.what(), HasSubstr(host_->address()));
  }
}

}  // namespace
}  // namespace ponder
