#include "tasks/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/tasks/chain_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::AnswerOf;
using ::ponder::testing::ChainConfig;
using ::ponder::testing::WordsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 7;

TEST(ChainTask, HasAVocabularyOf21SymbolsInAFixedOrder) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  const Tokenizer& tokenizer = task->tokenizer();
  ASSERT_EQ(tokenizer.vocab_size(), 21U);
  const std::vector<std::string> expected{"0", "1", "2", "3",  "4",     "5",     "6",
                                          "7", "8", "9", "10", "+",     "-",     "*",
                                          ">", "=", ";", "#",  "<eos>", "<pad>", "<bos>"};
  for (uint32_t id = 0; id < 21; ++id) EXPECT_EQ(tokenizer.TokenText(id), expected[id]);
  EXPECT_EQ(tokenizer.eos_id(), 18U);
}

struct Golden {
  Split split;
  uint64_t index;
  const char* text;
  const char* answer;
};

// From a separate program that shares no code with this one.
TEST(ChainTask, MakesTheSameProblemsEverywhere) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  const std::vector<Golden> cases{
      {Split::kTrain, 0, "4 + 8 + 7 * 7 * 1 - 5 >", "7"},
      {Split::kTrain, 1, "3 - 2 - 6 - 6 * 9 + 7 >", "7"},
      {Split::kTrain, 2, "0 + 1 - 3 + 8 + 3 - 3 * 2 >", "1"},
      {Split::kEvaluate, 0, "0 * 7 * 8 * 8 * 9 - 5 * 6 >", "3"},
      {Split::kEvaluate, 1, "0 + 6 - 9 - 2 * 3 + 7 * 8 >", "2"},
      {Split::kEvaluate, 2, "1 - 7 + 0 - 5 - 0 - 0 >", "0"},
  };
  for (const Golden& c : cases) {
    const Problem problem = task->MakeProblem(c.split, kSeed, c.index);
    EXPECT_EQ(problem.text, c.text);
    EXPECT_EQ(problem.reference_answer, c.answer);
    EXPECT_EQ(problem.index, c.index);
  }
  EXPECT_EQ(task->MakeProblem(Split::kTrain, kSeed, 2).metadata.at("num_operations"), "6");
}

TEST(ChainTask, MakesProblemsOfTheFormNeverTimesZero) {
  const auto task = MakeChainTask(ChainConfig(1, 6));
  std::vector<int> num_of_length(7, 0);
  constexpr uint64_t kProblems = 6000;
  for (uint64_t index = 0; index < kProblems; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const std::vector<std::string> words = WordsOf(problem.text);
    ASSERT_EQ(words.size() % 2, 0U) << problem.text;
    const size_t n = words.size() / 2 - 1;
    ASSERT_GE(n, 1U);
    ASSERT_LE(n, 6U);
    ++num_of_length[n];
    ASSERT_THAT(problem.text, ::testing::Not(HasSubstr("* 0")));
    ASSERT_EQ(task->tokenizer().Encode(problem.text).size(), 2 * n + 2);
  }
  // Uniform lengths: 1000 expected of each, deviation sqrt(6000 * 1/6 * 5/6) = 28.9.
  for (size_t n = 1; n <= 6; ++n) EXPECT_NEAR(num_of_length[n], 1000, 4 * 28.9) << n;
}

TEST(ChainTask, MakesOtherProblemsForOtherSeedsAndIndices) {
  const auto task = MakeChainTask(ChainConfig(5, 6));
  std::set<std::string> texts;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    for (uint64_t index = 0; index < 200; ++index) {
      texts.insert(task->MakeProblem(Split::kTrain, seed, index).text);
    }
  }
  EXPECT_GE(texts.size(), 999U) << "11 * 32^5 problems and more: two equal ones are rare";
}

// Tasks that differ in name, lengths and misconceptions share one split.
TEST(ChainTask, NeverTrainsOnAHeldOutPromptOfAnyTaskOfItsForm) {
  TaskConfig facts = ChainConfig(1, 6);
  facts.name = "facts";
  facts.misconception_share = 0.3;
  const auto train = MakeChainTask(facts);
  const auto evaluate = MakeChainTask(ChainConfig(1, 2));
  const auto longer = MakeChainTask(ChainConfig(2, 2));
  EXPECT_TRUE(rc::check([&] {
    const auto train_seed = *rc::gen::arbitrary<uint64_t>();
    const auto eval_seed = *rc::gen::arbitrary<uint64_t>();
    const uint64_t first = *rc::gen::inRange<uint64_t>(0, uint64_t{1} << 40);
    std::set<std::string> held_out;
    for (uint64_t i = 0; i < 60; ++i) {
      held_out.insert(evaluate->MakeProblem(Split::kEvaluate, eval_seed, first + i).text);
      held_out.insert(longer->MakeProblem(Split::kEvaluate, train_seed, first + i).text);
    }
    for (uint64_t i = 0; i < 60; ++i) {
      RC_ASSERT(held_out.count(train->MakeProblem(Split::kTrain, train_seed, first + i).text) == 0);
    }
  }));
}

// With one operation there are 352 prompts: all can be listed.
TEST(ChainTask, SharesAllPromptsOfALengthOutBetweenTheSplits) {
  const auto task = MakeChainTask(ChainConfig(1, 1));
  std::set<std::string> train;
  std::set<std::string> held_out;
  for (uint64_t index = 0; index < 8000; ++index) {
    train.insert(task->MakeProblem(Split::kTrain, kSeed, index).text);
    held_out.insert(task->MakeProblem(Split::kEvaluate, kSeed, index).text);
  }
  EXPECT_EQ(train.size() + held_out.size(), 352U);
  // eval_share .1: 35.2 expected, deviation 5.6.
  EXPECT_NEAR(static_cast<double>(held_out.size()), 35.2, 4 * 5.6);
  for (const std::string& text : held_out) EXPECT_EQ(train.count(text), 0U) << text;
}

TEST(ChainTask, HoldsOtherPromptsOutForAnotherTaskSeed) {
  TaskConfig config = ChainConfig(1, 1);
  const auto one = MakeChainTask(config);
  config.task_seed = 2;
  const auto two = MakeChainTask(config);
  std::set<std::string> texts_one;
  std::set<std::string> texts_two;
  for (uint64_t index = 0; index < 2000; ++index) {
    texts_one.insert(one->MakeProblem(Split::kEvaluate, kSeed, index).text);
    texts_two.insert(two->MakeProblem(Split::kEvaluate, kSeed, index).text);
  }
  EXPECT_NE(texts_one, texts_two);
}

TEST(ChainTask, SaysWhenASplitHasNoProblem) {
  TaskConfig config = ChainConfig(1, 1);
  config.eval_share = 1e-9;
  const auto task = MakeChainTask(config);
  EXPECT_THROW(task->MakeProblem(Split::kEvaluate, kSeed, 0), Error);
}

TEST(ChainTask, ChecksEveryStepOfASolution) {
  const auto task = MakeChainTask(ChainConfig(1, 3));
  Problem problem;
  problem.text = "4 + 8 - 5 * 2 >";  // 4 + 8 = 1, 1 - 5 = 7, 7 * 2 = 3
  struct Case {
    const char* what;
    const char* response;
    std::vector<bool> step_correct;
    bool well_formed;
  };
  const std::vector<Case> cases{
      {"right", "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ; # 3", {true, true, true}, true},
      {"wrong result, then consistent",
       "4 + 8 = 2 ; 2 - 5 = 8 ; 8 * 2 = 5 ; # 5",
       {false, true, true},
       true},
      {"does not go on from the stated value",
       "4 + 8 = 2 ; 1 - 5 = 7 ; 7 * 2 = 3 ; # 3",
       {false, false, true},
       true},
      {"other operand", "4 + 8 = 1 ; 1 - 6 = 6 ; 6 * 2 = 1 ; # 1", {true, false, true}, true},
      {"other operation", "4 + 8 = 1 ; 1 + 5 = 6 ; 6 * 2 = 1 ; # 1", {true, false, true}, true},
      {"other start", "5 + 8 = 2 ; 2 - 5 = 8 ; 8 * 2 = 5 ; # 5", {false, true, true}, true},
      {"answer is not the last result",
       "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ; # 4",
       {true, true, true},
       true},
      {"a step is missing", "4 + 8 = 1 ; 1 - 5 = 7 ; # 7", {true, true}, false},
      {"a step too many",
       "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ; 3 * 2 = 6 ; # 6",
       {true, true, true},
       false},
      {"no answer", "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ;", {true, true, true}, false},
      {"an empty answer", "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ; #", {true, true, true}, false},
      {"two answers", "4 + 8 = 1 ; 1 - 5 = 7 ; 7 * 2 = 3 ; # 3 # 3", {true, true, true}, false},
      {"answer only", "# 3", {}, false},
      {"nothing", "", {}, false},
      {"form breaks off", "4 + 8 = 1 ; 1 - - = 7 ; 7 * 2 = 3 ; # 3", {true}, false},
      {"no delimiter", "4 + 8 = 1 1 - 5 = 7 ; # 7", {}, false},
      {"a number beyond the modulus", "4 + 8 = 12 ; # 12", {}, false},
      {"a number written otherwise", "04 + 8 = 1 ; # 1", {}, false},
  };
  for (const Case& c : cases) {
    const StepCheck check = task->CheckSteps(problem, c.response);
    EXPECT_EQ(check.step_correct, c.step_correct) << c.what;
    EXPECT_EQ(check.well_formed, c.well_formed) << c.what;
  }
}

TEST(ChainTask, RefusesAProblemThatIsNoChain) {
  const auto task = MakeChainTask(ChainConfig(1, 3));
  for (const char* text : {"", ">", "4", "4 + >", "4 + 8", "4 + 8 ; >", "4 / 8 >", "4 + 11 >",
                           "-1 + 2 >", "x + 2 >"}) {
    Problem problem;
    problem.text = text;
    try {
      task->CheckSteps(problem, "# 3");
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData) << text;
    }
  }
}

TEST(ChainTask, RefusesConfigurationsThatMakeNoProblems) {
  TaskConfig config = ChainConfig(1, 3);
  config.modulus = 1;
  EXPECT_THROW(MakeChainTask(config), ConfigError);
  config.modulus = 10'000;
  EXPECT_THROW(MakeChainTask(config), ConfigError);
  EXPECT_THROW(MakeChainTask(ChainConfig(0, 3)), ConfigError);
  EXPECT_THROW(MakeChainTask(ChainConfig(3, 2)), ConfigError);
}

}  // namespace
}  // namespace ponder
