// Rewards that users bring, in real runs: each type, well and ill. An ill judge must end the run
// with its cause, and never become a score.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/reward/fake_grpc_judge.h"
// After gRPC's headers.
#include "tests/integration/process_run.h"
#include "tests/reward/fake_http_judge.h"

namespace ponder {
namespace {

using ::ponder::testing::ChatBody;
using ::ponder::testing::FakeGrpcJudge;
using ::ponder::testing::FakeHttpJudge;
using ::ponder::testing::FakeHttpReply;
using ::ponder::testing::LastWordScores;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 120;
constexpr int kSlowMs = 300;

std::string Fake(const std::string& arguments) {
  return "type: command, command: [" + std::string(std::getenv("PONDER_BIN_DIR")) +
         "/fake_reward, " + arguments + "]";
}

std::string GrpcAt(const std::string& address) {
  return "type: grpc, address: \"" + address + "\"";
}

std::string HttpAt(const std::string& url) {
  return "type: http, url: \"" + url +
         "\", model: m, template: \"{reference}|{response}\", max_tries: 1, concurrency: 8";
}

// Runs one step of reinforcement learning whose only reward is the keys `reward`. Whatever fails is
// told at once: one try per prompt, no restart.
ProcessRun RunWith(const UpRun& run, const std::string& reward, double timeout_s) {
  return run.Start(
      {"stages.pretrain.num_steps=4", "stages.imitate.num_steps=1", "stages.reason.num_steps=1",
       "trainer.max_tries=1", "launch.max_restarts=0", "launch.trainer_ranks=1",
       "'stages.reason.rewards=[{name: own, timeout_s: " + std::to_string(timeout_s) + ", " +
           reward + "}]'"},
      "", kLimitS);
}

std::string Metrics(const UpRun& run) {
  std::ifstream stream(run.folder() + "/metrics.jsonl");
  return {std::istreambuf_iterator<char>(stream), {}};
}

void ExpectFinished(const ProcessRun& result) { ASSERT_EQ(result.exit_code, 0) << result.output; }

// The run ended because nothing could be scored, told why, and trained on nothing.
void ExpectEndedBy(const UpRun& run, const ProcessRun& result, const std::string& cause) {
  EXPECT_EQ(result.exit_code, 75) << result.output;
  EXPECT_THAT(result.output, HasSubstr("scoring 5 prompts in a row"));
  EXPECT_THAT(result.output, HasSubstr("reward 'own' failed: "));
  EXPECT_THAT(result.output, HasSubstr(cause));
  EXPECT_THAT(Metrics(run), Not(HasSubstr("reward/mean")));
}

// A judge that does one thing wrong, always.
struct IllJudge {
  const char* name;
  double timeout_s;
  std::string command;  // of fake_reward
  FakeGrpcJudge::Answer grpc;
  std::function<FakeHttpReply(const std::string&)> http;
  // What the output says, by type.
  const char* command_cause;
  const char* grpc_cause;
  const char* http_cause;
};

void PrintTo(const IllJudge& ill, std::ostream* stream) { *stream << ill.name; }

std::vector<IllJudge> IllJudges() {
  const auto scored = [](std::function<void(v1::JudgeReply*)> spoil) -> FakeGrpcJudge::Answer {
    return [spoil](const v1::JudgeRequest& request, v1::JudgeReply* reply) {
      *reply->mutable_scores() = LastWordScores(request);
      spoil(reply);
      return grpc::Status::OK;
    };
  };
  const auto says = [](const std::string& content) {
    return [content](const std::string&) { return FakeHttpReply{.body = ChatBody(content)}; };
  };
  return {
      {.name = "Hangs",
       .timeout_s = 0.2,
       .command = "hang",
       .grpc =
           [](const v1::JudgeRequest&, v1::JudgeReply*) {
             std::this_thread::sleep_for(std::chrono::seconds(2));
             return grpc::Status::OK;
           },
       .http = [](const std::string&) { return FakeHttpReply{.delay_ms = 60'000}; },
       .command_cause = "no answer within 0.2 s (timeout_s)",
       .grpc_cause = "deadline",
       .http_cause = "timed out"},
      {.name = "Dies",
       .timeout_s = 10,
       .command = "die",
       .grpc = nullptr,
       .http = nullptr,
       .command_cause = "the last line of its stderr: 'NameError: name 'judge' is not defined'",
       .grpc_cause = "UserReward.Judge at 127.0.0.1:1 failed",
       .http_cause = "Failed to connect to 127.0.0.1 port 1"},
      {.name = "LiesAboutItsLength",
       .timeout_s = 10,
       .command = "short",
       .grpc = scored([](v1::JudgeReply* reply) { reply->mutable_scores()->RemoveLast(); }),
       .http = [](const std::string&) { return FakeHttpReply{.body = "{\"choices\": []}"}; },
       .command_cause = "expected 8 scores, one per response, got 7",
       .grpc_cause = "expected 8 scores, one per response, got 7",
       .http_cause = "expected choices[0].message.content"},
      {.name = "AnswersNan",
       .timeout_s = 10,
       .command = "nan",
       .grpc = scored([](v1::JudgeReply* reply) { reply->set_scores(0, std::nan("")); }),
       .http = says("NaN"),
       .command_cause = "NaN is no JSON",
       .grpc_cause = "scores[0]: expected a number from 0 to 1, got nan",
       .http_cause = "expected a number, got 'NaN'"},
      {.name = "LeavesTheRange",
       .timeout_s = 10,
       .command = "high",
       .grpc = scored([](v1::JudgeReply* reply) { reply->set_scores(0, 7); }),
       .http = says("7"),
       .command_cause = "scores[0]: expected a number from 0 to 1, got 7",
       .grpc_cause = "scores[0]: expected a number from 0 to 1, got 7",
       .http_cause = "scores[0]: expected a number from 0 to 1, got 7"},
  };
}

class IllJudgeTest : public ::testing::TestWithParam<IllJudge> {};

TEST_P(IllJudgeTest, AsACommandEndsTheRunWithItsCause) {
  const IllJudge& ill = GetParam();
  const UpRun run(std::string("command_") + ill.name, kConfig);
  ExpectEndedBy(run, RunWith(run, Fake(ill.command), ill.timeout_s), ill.command_cause);
}

TEST_P(IllJudgeTest, AsAGrpcServerEndsTheRunWithItsCause) {
  const IllJudge& ill = GetParam();
  const UpRun run(std::string("grpc_") + ill.name, kConfig);
  std::unique_ptr<FakeGrpcJudge> judge;
  if (ill.grpc) judge = std::make_unique<FakeGrpcJudge>(ill.grpc);
  const std::string address = judge != nullptr ? judge->address() : "127.0.0.1:1";
  ExpectEndedBy(run, RunWith(run, GrpcAt(address), ill.timeout_s), ill.grpc_cause);
}

TEST_P(IllJudgeTest, AsAnHttpEndpointEndsTheRunWithItsCause) {
  const IllJudge& ill = GetParam();
  const UpRun run(std::string("http_") + ill.name, kConfig);
  std::unique_ptr<FakeHttpJudge> judge;
  if (ill.http) judge = std::make_unique<FakeHttpJudge>(ill.http);
  const std::string url = judge != nullptr ? judge->url() : "http://127.0.0.1:1/";
  ExpectEndedBy(run, RunWith(run, HttpAt(url), ill.timeout_s), ill.http_cause);
}

INSTANTIATE_TEST_SUITE_P(EveryIllness, IllJudgeTest, ::testing::ValuesIn(IllJudges()),
                         [](const ::testing::TestParamInfo<IllJudge>& tested) {
                           return std::string(tested.param.name);
                         });

// PONDER_SLOW_REWARD_MS lengthens the wait that the slow judges put in front of each answer.
int SlowMs() {
  const char* chosen = std::getenv("PONDER_SLOW_REWARD_MS");
  return chosen != nullptr ? std::atoi(chosen) : kSlowMs;
}

TEST(UserRewardTest, SlowAnswersOfEveryTypeAndADeathLeaveTheRunAsItIs) {
  const double timeout_s = 0.001 * SlowMs() + 9;
  const UpRun good("reward_good", kConfig);
  ExpectFinished(RunWith(good, Fake("good"), timeout_s));
  const std::string expected = Metrics(good);
  ASSERT_THAT(expected, HasSubstr("\"reward/source/own\""));

  const UpRun slow_command("reward_slow_command", kConfig);
  ExpectFinished(RunWith(slow_command, Fake("slow, " + std::to_string(SlowMs())), timeout_s));
  EXPECT_EQ(Metrics(slow_command), expected);

  FakeGrpcJudge grpc_judge([](const v1::JudgeRequest& request, v1::JudgeReply* reply) {
    std::this_thread::sleep_for(std::chrono::milliseconds(SlowMs()));
    *reply->mutable_scores() = LastWordScores(request);
    return grpc::Status::OK;
  });
  const UpRun slow_grpc("reward_slow_grpc", kConfig);
  ExpectFinished(RunWith(slow_grpc, GrpcAt(grpc_judge.address()), timeout_s));
  EXPECT_EQ(Metrics(slow_grpc), expected);

  FakeHttpJudge http_judge([](const std::string& body) {
    // The template puts the reference in front of the response.
    const std::string content = body.substr(body.find("\"content\":\"") + 11);
    const size_t bar = content.find('|');
    const std::string response = content.substr(bar, content.find('"', bar) - bar);
    const bool right = response.ends_with(" " + content.substr(0, bar));
    return FakeHttpReply{.body = ChatBody(right ? "1" : "0"), .delay_ms = SlowMs()};
  });
  const UpRun slow_http("reward_slow_http", kConfig);
  ExpectFinished(
      RunWith(slow_http, HttpAt(http_judge.url()) + ", request_timeout_s: 60", timeout_s));
  EXPECT_EQ(Metrics(slow_http), expected);

  const UpRun dies_once("reward_dies_once", kConfig);
  ExpectFinished(RunWith(dies_once, Fake("die_once, " + dies_once.Marker("reward")), timeout_s));
  EXPECT_TRUE(std::filesystem::exists(dies_once.Marker("reward")));
  EXPECT_EQ(Metrics(dies_once), expected);
}

TEST(UserRewardTest, ACommandThatDoesNotExistEndsTheRunAtOnce) {
  const UpRun run("reward_missing", kConfig);
  const ProcessRun result =
      RunWith(run, "type: command, command: [no_such_reward, --strict]", /*timeout_s=*/10);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("reward 'own': cannot execute 'no_such_reward'"));
}

}  // namespace
}  // namespace ponder
