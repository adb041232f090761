// A language model behind an HTTP endpoint as a source of reward, good and bad.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "reward/service/judge.h"
#include "tests/reward/fake_http_judge.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::ChatBody;
using ::ponder::testing::Context;
using ::ponder::testing::FakeHttpJudge;
using ::ponder::testing::FakeHttpReply;
using ::ponder::testing::kRight;
using ::ponder::testing::PromptOf;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class HttpRewardTest : public ::testing::Test {
 protected:
  HttpRewardTest() {
    config_.name = "judge";
    config_.type = "http";
    config_.model = "some-model";
    config_.prompt_template = "Problem {prompt} answer {response} gold {reference}";
    config_.timeout_s = 60;
    config_.request_timeout_s = 30;
  }

  void Make(std::function<FakeHttpReply(const std::string&)> answer) {
    endpoint_ = std::make_unique<FakeHttpJudge>(std::move(answer));
    config_.url = endpoint_->url();
    Remake();
  }
  // Slow, and never of the same opinion twice.
  void MakeFickle() {
    Make([this](const std::string&) {
      return FakeHttpReply{.body = ChatBody("0." + std::to_string(++num_opinions_)),
                           .delay_ms = 100};
    });
  }
  void Remake() {
    source_ = MakeHttpReward(config_, *MakeTask(testing::Experiment().tasks.front()), Context());
  }
  std::vector<SourceReward> Judge(const std::vector<std::string>& responses = {kRight, "# 2"}) {
    JudgedGroup group{prompt_, {}};
    for (const std::string& response : responses) group.completions.push_back({.text = response});
    return JudgeBy(*source_, config_, group);
  }
  std::string Failure() {
    const std::vector<SourceReward> rewards = Judge();
    for (const SourceReward& reward : rewards) {
      EXPECT_EQ(reward.verdict, VerdictKind::kInfrastructureError) << reward.rule;
    }
    return rewards.at(0).rule;
  }
  void ExpectGoodScores() {
    const std::vector<SourceReward> rewards = Judge();
    ASSERT_EQ(rewards.size(), 2U);
    EXPECT_EQ(rewards[0].verdict, VerdictKind::kScored) << rewards[0].rule;
    EXPECT_EQ(rewards[0].value, 1);
    EXPECT_EQ(rewards[1].value, 0);
  }
  // 1 for kRight, else 0.
  static FakeHttpReply Good(const std::string& body) {
    return {.body = ChatBody(body.find(kRight) != std::string::npos ? "Score: 1" : "Score: 0")};
  }

  const Prompt prompt_ = PromptOf();
  RewardConfig config_;
  std::atomic<int> num_opinions_{0};
  std::unique_ptr<FakeHttpJudge> endpoint_;
  std::unique_ptr<RewardSource> source_;
};

TEST_F(HttpRewardTest, AsksOncePerResponseByTheTemplate) {
  Make(Good);
  ExpectGoodScores();
  EXPECT_EQ(endpoint_->num_requests(), 2);
  const std::string request = endpoint_->last_request();
  const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["model"], "some-model");
  EXPECT_EQ(body["temperature"], 0);
  EXPECT_EQ(body["max_tokens"], 512);
  EXPECT_THAT(body["messages"][0]["content"].get<std::string>(),
              AllOf(HasSubstr("Problem 4 + 8 > answer "), HasSubstr(" gold 1")));
}

TEST_F(HttpRewardTest, WhatWasScoredIsNotAskedAgain) {
  Make(Good);
  ExpectGoodScores();
  ExpectGoodScores();
  EXPECT_EQ(endpoint_->num_requests(), 2) << "the second group was known";
}

TEST_F(HttpRewardTest, EqualResponsesOfAGroupAreAskedAboutOnceAndScoredAlike) {
  ASSERT_EQ(config_.concurrency, 8) << "as many requests at a time as there are responses";
  MakeFickle();
  const std::vector<SourceReward> rewards =
      Judge({"# 1", "# 1", "# 2", "# 1", "# 1", "# 2", "# 1", "# 1"});
  EXPECT_EQ(endpoint_->num_requests(), 2);
  for (const size_t row : {1, 3, 4, 6, 7}) EXPECT_EQ(rewards.at(row).value, rewards[0].value);
  EXPECT_EQ(rewards.at(5).value, rewards[2].value);
  EXPECT_NE(rewards[0].value, rewards[2].value);
}

TEST_F(HttpRewardTest, GroupsThatAreJudgedAtTheSameTimeAreScoredAlike) {
  MakeFickle();
  std::vector<SourceReward> others;
  std::thread other([&] { others = Judge({"# 1"}); });
  const std::vector<SourceReward> rewards = Judge({"# 1"});
  other.join();
  ASSERT_EQ(rewards.at(0).verdict, VerdictKind::kScored) << rewards[0].rule;
  ASSERT_EQ(others.at(0).verdict, VerdictKind::kScored) << others[0].rule;
  EXPECT_EQ(rewards[0].value, others[0].value);
}

TEST_F(HttpRewardTest, AFileKeepsTheAnswersOverARestart) {
  config_.cache = ::testing::TempDir() + "ponder_http_cache.sqlite";
  std::remove(config_.cache.c_str());
  Make(Good);
  ExpectGoodScores();
  Remake();
  ExpectGoodScores();
  EXPECT_EQ(endpoint_->num_requests(), 2);
}

TEST_F(HttpRewardTest, OverloadAndServerErrorsAreTriedAgain) {
  std::atomic<int> count{0};
  Make([&](const std::string& body) -> FakeHttpReply {
    switch (count++) {
      case 0:
        return {.status = 429, .body = "slow down"};
      case 1:
        return {.status = 503};
      default:
        return Good(body);
    }
  });
  ExpectGoodScores();
  EXPECT_EQ(endpoint_->num_requests(), 4);
}

TEST_F(HttpRewardTest, ARequestThatHangsIsTriedAgain) {
  config_.request_timeout_s = 0.2;
  std::atomic<int> count{0};
  Make([&](const std::string& body) {
    FakeHttpReply reply = Good(body);
    if (count++ == 0) reply.delay_ms = 60'000;
    return reply;
  });
  ExpectGoodScores();
}

TEST_F(HttpRewardTest, AWaitBeyondTheDeadlineIsNotBegun) {
  config_.timeout_s = 5;
  Make([](const std::string&) {
    return FakeHttpReply{.status = 429, .body = "later", .header = "Retry-After: 3600"};
  });
  EXPECT_THAT(Failure(), AllOf(HasSubstr("HTTP 429: later"), HasSubstr("in 3600.0 s"),
                               HasSubstr("timeout_s, 5 s")));
}

TEST_F(HttpRewardTest, WhatARepetitionWouldNotCureIsToldAtOnce) {
  Make([](const std::string&) { return FakeHttpReply{.status = 401, .body = "bad key"}; });
  config_.concurrency = 1;
  Remake();
  EXPECT_THAT(Failure(), HasSubstr("HTTP 401: bad key"));
  EXPECT_EQ(endpoint_->num_requests(), 1) << "the other responses are not asked about in vain";
}

TEST_F(HttpRewardTest, RepliesThatAreNoVerdictAreFailures) {
  std::string body;
  Make([&](const std::string&) { return FakeHttpReply{.body = body}; });
  body = ChatBody("I cannot say");
  EXPECT_THAT(Failure(), HasSubstr("expected a number, got 'I cannot say'"));
  body = ChatBody("8");
  EXPECT_THAT(Failure(), HasSubstr("expected a number from 0 to 1, got 8"));
  body = ChatBody("NaN");
  EXPECT_THAT(Failure(), HasSubstr("expected a number, got 'NaN'"));
  body = ChatBody("1", 10, "length");
  EXPECT_THAT(Failure(), HasSubstr("cut off at max_reply_tokens"));
  body = "<html>";
  EXPECT_THAT(Failure(), HasSubstr("not valid JSON"));
  body = std::string(2 << 20, ' ');
  EXPECT_THAT(Failure(), HasSubstr("expected a reply of at most 1048576 bytes"));
}

TEST_F(HttpRewardTest, NobodyListening) {
  config_.url = "http://127.0.0.1:1/v1/chat/completions";
  config_.max_tries = 1;
  Remake();
  EXPECT_THAT(Failure(), HasSubstr("Failed to connect to 127.0.0.1 port 1"));
}

TEST_F(HttpRewardTest, TheBudgetEndsTheRequests) {
  config_.budget.requests = 3;
  Make(Good);
  ExpectGoodScores();
  Judge({"# 3"});
  EXPECT_THAT(Judge({"# 4"}).at(0).rule, HasSubstr("budget is spent (budget: requests 3"));
  EXPECT_EQ(endpoint_->num_requests(), 3);
  ExpectGoodScores();  // known
}

TEST_F(HttpRewardTest, NoMoreRequestsAtATimeThanAllowed) {
  config_.concurrency = 2;
  Make([](const std::string& body) {
    FakeHttpReply reply = Good(body);
    reply.delay_ms = 20;
    return reply;
  });
  Judge({"# 1", "# 2", "# 3", "# 4", "# 5", "# 6"});
  EXPECT_EQ(endpoint_->num_requests(), 6);
  EXPECT_LE(endpoint_->max_parallel(), 2);
}

TEST_F(HttpRewardTest, TheKeyComesFromEnvironmentOrFileAndStaysOutOfMessages) {
  setenv("PONDER_TEST_API_KEY", "sk-secret", /*overwrite=*/1);
  config_.api_key_env = "PONDER_TEST_API_KEY";
  config_.max_tries = 1;
  Make([](const std::string&) { return FakeHttpReply{.status = 500}; });
  EXPECT_THAT(Failure(), Not(HasSubstr("sk-secret")));
  EXPECT_THAT(endpoint_->last_request(), HasSubstr("Authorization: Bearer sk-secret\r\n"));

  config_.api_key_env.clear();
  config_.api_key_file = ::testing::TempDir() + "ponder_api_key";
  std::ofstream(config_.api_key_file) << "sk-other\n";
  Remake();
  Failure();
  EXPECT_THAT(endpoint_->last_request(), HasSubstr("Authorization: Bearer sk-other\r\n"));
}

TEST_F(HttpRewardTest, AnEndpointThatSendsTheKeyBackDoesNotBringItIntoMessages) {
  setenv("PONDER_TEST_API_KEY", "sk-secret", /*overwrite=*/1);
  config_.api_key_env = "PONDER_TEST_API_KEY";
  FakeHttpReply reply{.status = 401, .body = "no such key: sk-secret"};
  Make([&reply](const std::string&) { return reply; });
  EXPECT_THAT(Failure(), HasSubstr("HTTP 401: no such key: *** (try 1)"));
  reply = {.body = ChatBody("I was called with sk-secret")};
  EXPECT_THAT(Failure(), HasSubstr("got 'I was called with ***'"));
}

TEST_F(HttpRewardTest, AMissingKeyIsAConfigurationError) {
  config_.url = "https://judge.example/v1/chat/completions";
  config_.api_key_env = "PONDER_TEST_NO_SUCH_KEY";
  try {
    Remake();
    FAIL() << "made";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "reward 'judge': expected an API key in the environment variable "
                 "PONDER_TEST_NO_SUCH_KEY, got nothing");
  }
}

}  // namespace
}  // namespace ponder
