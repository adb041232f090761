#include "core/answers/final_answer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace ponder {
namespace {

constexpr std::string_view kMarker = "#";

AnswerJudgment Judge(std::string_view response, std::string_view gold, bool truncated = false) {
  return JudgeMarkedAnswer(response, gold, kMarker, truncated);
}

struct Case {
  const char* what;
  const char* response;
  const char* gold;
  bool truncated;
  AnswerVerdict verdict;
  const char* rule;
  const char* extracted;
  uint32_t num_candidates;
};

TEST(FinalAnswer, DecidesTheTable) {
  using enum AnswerVerdict;
  const std::vector<Case> cases{
      {"right", "4 + 8 = 1 ; # 1", "1", false, kEqual, "equal", "1", 1},
      {"wrong", "4 + 8 = 1 ; # 2", "1", false, kDifferent, "different", "2", 1},
      {"gold is in the steps only", "4 + 8 = 1 ;", "1", false, kNoAnswer, "no answer", "", 0},
      {"nothing written", "", "1", false, kNoAnswer, "no answer", "", 0},
      {"nothing after the marker", "4 + 8 = 1 ; #", "1", false, kNoAnswer, "no answer", "", 0},
      {"echo of the prompt first", "4 + 8 > 4 + 8 = 1 ; # 1", "1", false, kEqual, "equal", "1", 1},
      {"echo of the prompt alone", "4 + 8 >", "1", false, kNoAnswer, "no answer", "", 0},
      {"a second answer corrects", "# 2 # 1", "1", false, kHedged, "hedged", "1", 2},
      {"a second answer spoils", "# 1 # 2", "1", false, kHedged, "hedged", "2", 2},
      {"the first of three differs", "# 2 # 1 # 1", "1", false, kHedged, "hedged", "1", 3},
      {"the answer repeated", "# 1 # 1", "1", false, kEqual, "equal", "1", 2},
      {"every number tried", "# 0 # 1 # 2 # 3", "3", false, kHedged, "hedged", "3", 4},
      {"two answers in one", "# 1 2", "1", false, kDifferent, "different", "1 2", 1},
      {"marker doubled", "# # 1", "1", false, kEqual, "equal", "1", 1},
      {"last marker empty", "# 1 #", "1", false, kNoAnswer, "no answer", "", 0},
      {"goes on after the answer", "# 1 ; 1 + 1 = 2 ;", "1", false, kDifferent, "different",
       "1 ; 1 + 1 = 2 ;", 1},
      {"marker inside a word", "#1", "1", false, kNoAnswer, "no answer", "", 0},
      {"answer inside a word", "# 11", "1", false, kDifferent, "different", "11", 1},
      {"other spaces", " #\t1\r\n", "  1 ", false, kEqual, "equal", "1", 1},
      {"gold of several words", "#  a   b", "a b", false, kEqual, "equal", "a b", 1},
      {"truncated though right", "# 1", "1", true, kTruncated, "truncated", "", 0},
      {"truncated and wrong", "# 2", "1", true, kTruncated, "truncated", "", 0},
      {"empty gold", "# 1", "", false, kUnparsableGold, "unparsable gold", "", 0},
      {"gold of spaces", "# 1", " \n", false, kUnparsableGold, "unparsable gold", "", 0},
      {"gold with the marker", "# 1", "# 1", false, kUnparsableGold, "unparsable gold", "", 0},
      {"bad gold and truncated", "# 1", "", true, kUnparsableGold, "unparsable gold", "", 0},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const AnswerJudgment judgment = Judge(c.response, c.gold, c.truncated);
    EXPECT_EQ(judgment.verdict, c.verdict);
    EXPECT_EQ(judgment.rule, c.rule);
    EXPECT_EQ(judgment.extracted, c.extracted);
    EXPECT_EQ(judgment.num_candidates, c.num_candidates);
  }
}

TEST(FinalAnswer, ReadsNoMoreThanTheEndOfALongResponse) {
  const std::string filler(kMaxJudgedBytes, ' ');
  EXPECT_EQ(Judge("# 1" + filler, "1").verdict, AnswerVerdict::kNoAnswer) << "out of sight";
  EXPECT_EQ(Judge(filler + " # 1", "1").verdict, AnswerVerdict::kEqual);
  EXPECT_EQ(Judge("# 2" + filler + "# 1", "1").verdict, AnswerVerdict::kEqual)
      << "the last one counts, so what is out of sight could not have helped";
}

TEST(FinalAnswer, DropsAWordThatTheLimitCuts) {
  // The cut would leave "# 1" of "x# 1...": half a word must not pass for the marker.
  const std::string answer = "# 1";
  std::string response = "x" + answer + std::string(kMaxJudgedBytes - answer.size(), ' ');
  EXPECT_EQ(Judge(response, "1").verdict, AnswerVerdict::kNoAnswer);
  response[0] = ' ';
  EXPECT_EQ(Judge(response, "1").verdict, AnswerVerdict::kEqual) << "a whole word counts";
  EXPECT_EQ(Judge(std::string(kMaxJudgedBytes + 1, '#'), "1").verdict, AnswerVerdict::kNoAnswer);
}

TEST(FinalAnswer, DecidesHugeResponsesOfMarkers) {
  std::string response;
  while (response.size() < 4 * kMaxJudgedBytes) response += "# 1 ";
  EXPECT_EQ(Judge(response, "1").verdict, AnswerVerdict::kEqual);
  EXPECT_EQ(Judge(response + "# 2", "2").verdict, AnswerVerdict::kHedged);
}

// A response of symbols, so that markers and repeats are frequent.
std::string DrawResponse() {
  const std::vector<std::string> symbols{"0", "1", "2", "+", "=", ";", ">", "#", "#"};
  std::string text;
  for (const auto& symbol :
       *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(symbols))) {
    text += symbol + " ";
  }
  return text;
}

TEST(FinalAnswer, IsNeverHelpedByAnotherAnswer) {
  EXPECT_TRUE(rc::check([] {
    const std::string response = DrawResponse();
    const std::string gold = *rc::gen::elementOf(std::vector<std::string>{"0", "1", "2"});
    const std::string other = *rc::gen::elementOf(std::vector<std::string>{"3", "4"});
    RC_ASSERT(Judge("# " + other + " " + response, gold).verdict != AnswerVerdict::kEqual);
    RC_ASSERT(Judge(response + "# " + other, gold).verdict != AnswerVerdict::kEqual);
  }));
}

TEST(FinalAnswer, IsEqualForAtMostOneGold) {
  EXPECT_TRUE(rc::check([] {
    const std::string response = DrawResponse();
    int num_equal = 0;
    for (const char* gold : {"0", "1", "2"}) {
      if (Judge(response, gold).verdict == AnswerVerdict::kEqual) ++num_equal;
    }
    RC_ASSERT(num_equal <= 1);
  }));
}

}  // namespace
}  // namespace ponder
