// Wrong rewards of users and what they are told, word for word.
#include <gtest/gtest.h>

#include <string>

#include "core/config/experiment.h"
#include "tests/core/config/test_experiments.h"

namespace ponder {
namespace {

// The reward of the valid experiment, as one of another type.
constexpr const char* kReward = "type: exact_answer, weight: 1.0";

class WrongRewardTest : public ::testing::TestWithParam<WrongExperiment> {};

TEST_P(WrongRewardTest, IsToldWhatIsWrongAndWhere) {
  EXPECT_EQ(ProblemsOf(Spoiled(GetParam().from, GetParam().to)), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    RewardsOfUsers, WrongRewardTest,
    ::testing::Values(
        WrongExperiment{"CommandIsMissing", kReward, "type: command",
                        "x.yaml:33:9: stages[1].rewards[0].command: missing; type 'command' needs "
                        "it"},
        WrongExperiment{"CommandIsEmpty", kReward, "type: command, command: []",
                        "x.yaml:33:48: stages[1].rewards[0].command: expected a program, got an "
                        "empty list"},
        WrongExperiment{"KeyOfAnotherType", kReward, "type: command, command: [x], url: http://x/",
                        "x.yaml:33:53: stages[1].rewards[0].url: type 'command' takes no 'url'; it "
                        "is for http"},
        WrongExperiment{"SlowerThanScoringMayBe", kReward,
                        "type: grpc, address: h:1, timeout_s: 30",
                        "x.yaml:33:61: stages[1].rewards[0].timeout_s: the rewards up to here may "
                        "take 30 s, expected less than trainer.score_timeout_s, 30"},
        WrongExperiment{"EmptyScoreRange", kReward,
                        "type: grpc, address: h:1, range: {min: 1, max: 1}",
                        "x.yaml:33:50: stages[1].rewards[0].range: expected min below max, got 1 "
                        "and 1"},
        WrongExperiment{"UrlWithoutScheme", kReward,
                        "type: http, model: m, template: '{response}', url: localhost/v1",
                        "x.yaml:33:75: stages[1].rewards[0].url: expected http://HOST/... or "
                        "https://HOST/..., got 'localhost/v1'"},
        WrongExperiment{"UrlWithoutHost", kReward,
                        "type: http, model: m, template: '{response}', url: 'http:///v1'",
                        "x.yaml:33:75: stages[1].rewards[0].url: expected http://HOST/... or "
                        "https://HOST/..., got 'http:///v1'"},
        WrongExperiment{"PasswordInTheUrl", kReward,
                        "type: http, model: m, template: '{response}', url: 'https://u:pw@h/v1'",
                        "x.yaml:33:75: stages[1].rewards[0].url: expected no user or password in "
                        "it, which the run's folder would keep, got an '@' before the host "
                        "(api_key_env says which environment variable holds a key)"},
        WrongExperiment{"PasswordInAUrlWithoutScheme", kReward,
                        "type: http, model: m, template: '{response}', url: 'u:pw@h/v1'",
                        "x.yaml:33:75: stages[1].rewards[0].url: expected no user or password in "
                        "it, which the run's folder would keep, got an '@' before the host "
                        "(api_key_env says which environment variable holds a key)"},
        WrongExperiment{"NoTemplate", kReward, "type: http, model: m, url: http://x/",
                        "x.yaml:33:9: stages[1].rewards[0]: expected exactly one of template and "
                        "template_file"},
        WrongExperiment{"TemplateWithoutResponse", kReward,
                        "type: http, model: m, url: http://x/, template: 'Is {prompt} right?'",
                        "x.yaml:33:72: stages[1].rewards[0].template: expected {response} in it, "
                        "got none: the judge would not see what it judges"},
        WrongExperiment{"MisspelledPlaceholder", kReward,
                        "type: http, model: m, url: http://x/, template: '{promt} {response}'",
                        "x.yaml:33:72: stages[1].rewards[0].template: no placeholder {promt}; did "
                        "you mean {prompt}?"},
        WrongExperiment{"KeyInTheFile", kReward,
                        "type: http, model: m, url: http://x/, template: '{response}', api_key: s",
                        "x.yaml:33:86: unknown key 'api_key' in stages[1].rewards[0]; a key is "
                        "never written here: api_key_env or api_key_file says where"},
        WrongExperiment{"TwoKeys", kReward,
                        "type: http, model: m, url: http://x/, template: '{response}', "
                        "api_key_env: A, api_key_file: b",
                        "x.yaml:33:116: stages[1].rewards[0].api_key_file: expected at most one of "
                        "api_key_env and api_key_file, got both"}),
    NameOfCase);

// The problems of the valid experiment with a reward as `keys` say.
std::string ProblemsOfReward(const std::string& keys) { return ProblemsOf(Spoiled(kReward, keys)); }

TEST(WrongRewardsTest, AnAddressIsAHostAndAPort) {
  for (const char* good : {"h:1", "127.0.0.1:50600", "judge.example:65535", "[::1]:50600"}) {
    EXPECT_EQ(ProblemsOfReward("type: grpc, address: '" + std::string(good) + "'"), "") << good;
  }
  for (const char* wrong : {"foo", "foo:", ":50600", "foo:0", "foo:65536", "foo:-1", "foo:http",
                            "foo:80 ", "::1:50600", "[]:1", "http://foo:80", "u:pw@foo:80"}) {
    EXPECT_EQ(ProblemsOfReward("type: grpc, address: '" + std::string(wrong) + "'"),
              "x.yaml:33:45: stages[1].rewards[0].address: expected HOST:PORT with a port from 1 "
              "to 65535, got '" +
                  std::string(wrong) + "'");
  }
}

TEST(WrongRewardsTest, AnAtSignBehindTheHostIsNoPassword) {
  EXPECT_EQ(ProblemsOfReward("type: http, model: m, template: '{response}', "
                             "url: 'https://h/v1/@me?x=a@b'"),
            "");
}

}  // namespace
}  // namespace ponder
