#include "reward/external/judge_prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "reward/external/chat_reply.h"
#include "reward/external/group_scores.h"
#include "tests/reward/fake_http_judge.h"

namespace ponder {
namespace {

using ::ponder::testing::ChatBody;
using ::testing::HasSubstr;

TEST(FillTemplateTest, ReplacesItsThreePlaceholdersAndNothingElse) {
  EXPECT_EQ(FillTemplate("P {prompt} R {response} {response} A {reference} {\"score\": 1} {x} {",
                         "p", "r", "a"),
            "P p R r r A a {\"score\": 1} {x} {");
}

TEST(FillTemplateTest, DoesNotLookAtWhatItPutsIn) {
  EXPECT_EQ(FillTemplate("{response}|{reference}", "p", "{reference}", "gold"), "{reference}|gold");
}

TEST(ScoreInReplyTest, TakesTheLastNumber) {
  struct Case {
    const char* reply;
    double score;
  };
  const std::vector<Case> cases{
      {"7", 7},
      {"Score: 0.5.", 0.5},
      {"First 3, then 8", 8},
      {"I give it 7/10", 7},
      {"I give it 7 / 10.", 7},
      {"**-1**", -1},
      {"between 3-5", 5},
      {"score=1 (by gpt4)", 1},
      {"10 of 10 for v2beta", 10},
      {"3.25\n", 3.25},
      {"007", 7},
  };
  for (const Case& c : cases) EXPECT_EQ(ScoreInReply(c.reply, "", ""), c.score) << c.reply;
}

TEST(ScoreInReplyTest, TakesTheFieldOfTheLastJsonObject) {
  EXPECT_EQ(ScoreInReply("{\"score\": 3}", "score", ""), 3);
  EXPECT_EQ(ScoreInReply("I think {so}.\n```json\n{\"why\": \"a {b}\", \"score\": 0.5}\n```",
                         "score", ""),
            0.5);
  EXPECT_EQ(ScoreInReply("{\"score\": 1} or rather {\"score\": 2}", "score", ""), 2);
}

TEST(ScoreInReplyTest, RefusesARepliesWithoutAScore) {
  for (const char* reply : {"", "no idea", "gpt4", "{\"points\": 3}", "{\"score\": \"3\"}"}) {
    EXPECT_THROW(ScoreInReply(reply, "score", ""), ProtocolError) << reply;
  }
  for (const char* reply : {"", "no idea", "gpt4", "v2"}) {
    EXPECT_THROW(ScoreInReply(reply, "", ""), ProtocolError) << reply;
  }
}

TEST(ChatReplyTest, ReadsContentAndTokens) {
  const ChatReply reply = ParseChatReply(ChatBody("7", 42), "");
  EXPECT_EQ(reply.content, "7");
  EXPECT_EQ(reply.num_tokens, 42);
}

TEST(ChatReplyTest, RefusesWhatIsNoWholeReply) {
  EXPECT_THROW(ParseChatReply(ChatBody("The answer is 4", 10, "length"), ""), ProtocolError);
  EXPECT_THROW(ParseChatReply("{\"choices\": []}", ""), ProtocolError);
  EXPECT_THROW(ParseChatReply("<html>502</html>", ""), Error);
}

TEST(ChatReplyTest, NoTextOfAFailureHasTheKey) {
  const std::string key = "sk-a/b\"c";
  const auto message = [&key](const std::string& body) -> std::string {
    try {
      return std::to_string(ScoreInReply(ParseChatReply(body, key).content, "", key));
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_THAT(message(ChatBody("No: " + key)), HasSubstr("got 'No: ***'"));
  EXPECT_THAT(message(ChatBody("No: " + key, 10, "length")), HasSubstr("'... No: ***'"));
  EXPECT_EQ(message(ChatBody(key + " 7")), "7.000000") << "the score is that of the whole reply";
  // Backslashes as JSON may write them, and a piece of the body in the parser's own message.
  EXPECT_THAT(message(R"({"error": "sk-a\/b\"c"})"), HasSubstr("got '{\"error\": \"***\"}'"));
  EXPECT_THAT(message(R"({"error": "sk-a/b\"c)"), HasSubstr("***"));
  HttpReply refusal;
  refusal.status = 401;
  refusal.body = "bad key " + key + ", " + key;
  EXPECT_EQ(DescribeFailure(refusal, key), "HTTP 401: bad key ***, ***");
}

TEST(RewardsOfTest, RefusesWhatLiesOutsideTheRangeAndNamesIt) {
  const RealRange range{.min = -1, .max = 2};
  EXPECT_EQ(RewardsOf({{-1, 2}, ""}, 2, range)[1].value, 2);
  const auto failure = [&](std::vector<double> values) -> std::string {
    try {
      RewardsOf({std::move(values), ""}, 2, range);
    } catch (const ProtocolError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(failure({0, 2.5}), "scores[1]: expected a number from -1 to 2, got 2.5");
  EXPECT_THAT(failure({std::stod("nan"), 0}),
              HasSubstr("scores[0]: expected a number from -1 to 2"));
  EXPECT_EQ(failure({0}), "expected 2 scores, one per response, got 1");
  EXPECT_EQ(failure({0, 0, 0}), "expected 2 scores, one per response, got 3");
}

TEST(RewardsOfTest, ARefusalIsOfTheWholePrompt) {
  const std::vector<SourceReward> rewards = RewardsOf({{}, "no reference"}, 2, {});
  ASSERT_EQ(rewards.size(), 2U);
  EXPECT_EQ(rewards[0].verdict, VerdictKind::kRefused);
  EXPECT_EQ(rewards[0].rule, "no reference");
}

TEST(ExcerptTest, IsOneShortLineThatKeepsCharactersWhole) {
  EXPECT_EQ(Excerpt("a\nb\tc"), "a b c");
  std::string umlauts = "x";
  for (int i = 0; i < 150; ++i) umlauts += "\xc3\xa4";
  EXPECT_EQ(Excerpt(umlauts), umlauts.substr(0, 199) + "...");
}

TEST(ExcerptTest, CutsNoSecretInTwo) {
  const std::string before(195, 'x');
  EXPECT_EQ(Excerpt(before + "secret and more", "secret"), before + "*** a...");
  EXPECT_EQ(Excerpt(before + "secret", ""), before + "secre...");
}

TEST(ExcerptTest, ShowsBytesThatAreNoTextAsQuestionMarks) {
  EXPECT_EQ(Excerpt("\xff\xc3(\xed\xa0\x80\xf0\x9f\x98\x80\xc3"), "?\?(???\xf0\x9f\x98\x80?");
}

}  // namespace
}  // namespace ponder
