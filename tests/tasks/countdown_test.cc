#include "tasks/countdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/words.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 7;

TaskConfig CountdownConfig(int64_t modulus = 5, int64_t max_attempts = 2) {
  TaskConfig config;
  config.name = "countdown";
  config.type = "countdown";
  config.modulus = modulus;
  config.max_attempts = max_attempts;
  config.lookahead_probability = 0.35;
  config.eval_share = 0.25;
  return config;
}

Problem SomeProblem() {
  Problem problem;
  problem.text = "1 2 4 ? 2 >";
  return problem;
}

// The numbers of a problem's text in ascending order, and its target.
std::vector<std::string> KindOf(const std::string& text) {
  std::vector<std::string> kind;
  for (const std::string_view word : WordsOf(text)) kind.emplace_back(word);
  std::sort(kind.begin(), kind.begin() + 3);
  return kind;
}

TEST(CountdownTask, HasAVocabularyOf15SymbolsInAFixedOrder) {
  const auto task = MakeCountdownTask(CountdownConfig());
  const std::vector<std::string> expected{"0", "1", "2", "3", "4",     "+",     "-",    "*",
                                          ">", "=", ";", "?", "<eos>", "<pad>", "<bos>"};
  ASSERT_EQ(task->tokenizer().vocab_size(), expected.size());
  for (uint32_t id = 0; id < expected.size(); ++id) {
    EXPECT_EQ(task->tokenizer().TokenText(id), expected[id]);
  }
  EXPECT_EQ(task->tokenizer().eos_id(), 12U);
  EXPECT_EQ(task->step_delimiter(), ";");
}

TEST(CountdownTask, MakesProblemsThatHaveASolutionAndNoReferenceAnswer) {
  const auto task = MakeCountdownTask(CountdownConfig(11));
  for (uint64_t index = 0; index < 500; ++index) {
    const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
    const std::vector<std::string_view> words = WordsOf(problem.text);
    ASSERT_EQ(words.size(), 6U) << problem.text;
    EXPECT_EQ(words[3], "?");
    EXPECT_EQ(words[5], ">");
    for (size_t i = 0; i < 3; ++i) EXPECT_NE(words[i], "0") << problem.text;
    EXPECT_GE(std::stoi(problem.metadata.at("num_solutions")), 1);
    EXPECT_EQ(problem.reference_answer, "");
    EXPECT_EQ(problem.index, index);
  }
}

// With p = 5 there are 98 kinds of problem, in 318 orders of their numbers: all can be listed.
TEST(CountdownTask, SharesAllProblemsOutBetweenTheSplitsWithAllOrdersOfTheirNumbers) {
  const auto task = MakeCountdownTask(CountdownConfig());
  std::set<std::string> texts;
  std::set<std::vector<std::string>> train;
  std::set<std::vector<std::string>> held_out;
  for (uint64_t index = 0; index < 6000; ++index) {
    for (const Split split : {Split::kTrain, Split::kEvaluate}) {
      const std::string text = task->MakeProblem(split, kSeed, index).text;
      texts.insert(text);
      (split == Split::kTrain ? train : held_out).insert(KindOf(text));
    }
  }
  EXPECT_EQ(texts.size(), 318U);
  EXPECT_EQ(train.size() + held_out.size(), 98U);
  EXPECT_EQ(held_out.size(), 30U) << "of 24.5 expected with an eval_share of a quarter";
  for (const auto& kind : held_out) EXPECT_EQ(train.count(kind), 0U) << kind[0] << kind[1];
}

TEST(CountdownTask, HoldsNothingOutWithAShareOfZero) {
  TaskConfig config = CountdownConfig();
  config.eval_share = 0;
  const auto task = MakeCountdownTask(config);
  std::set<std::string> train;
  std::set<std::string> evaluated;
  size_t num_equal = 0;
  for (uint64_t index = 0; index < 6000; ++index) {
    const std::string trained = task->MakeProblem(Split::kTrain, kSeed, index).text;
    const std::string measured = task->MakeProblem(Split::kEvaluate, kSeed, index).text;
    train.insert(trained);
    evaluated.insert(measured);
    num_equal += trained == measured ? 1 : 0;
  }
  EXPECT_EQ(train, evaluated);
  EXPECT_EQ(train.size(), 318U);
  EXPECT_LT(num_equal, 100U) << "in an order of its own";
}

TEST(CountdownTask, MakesTheSameProblemOfTheSameArgumentsAlone) {
  const auto task = MakeCountdownTask(CountdownConfig());
  TaskConfig config = CountdownConfig();
  config.name = "another";
  config.max_attempts = 5;
  config.lookahead_probability = 0;
  const auto other = MakeCountdownTask(config);
  EXPECT_TRUE(rc::check([&] {
    const auto seed = *rc::gen::arbitrary<uint64_t>();
    const auto index = *rc::gen::inRange<uint64_t>(0, uint64_t{1} << 62);
    for (const Split split : {Split::kTrain, Split::kEvaluate}) {
      const Problem problem = task->MakeProblem(split, seed, index);
      RC_ASSERT(other->MakeProblem(split, seed, index).text == problem.text);
    }
  }));
}

TEST(CountdownTask, SaysWhenASplitHasNoProblem) {
  TaskConfig config = CountdownConfig();
  config.eval_share = 1e-9;
  EXPECT_THROW(MakeCountdownTask(config)->MakeProblem(Split::kEvaluate, kSeed, 0), Error);
}

// The smallest moduli have one or two numbers, which must not loop for ever.
TEST(CountdownTask, MakesProblemsForEveryModulusThatItTakes) {
  for (const int64_t modulus : {2, 3, 5, 97}) {
    const auto task = MakeCountdownTask(CountdownConfig(modulus));
    EXPECT_NO_THROW(task->MakeProblem(Split::kTrain, kSeed, 0)) << modulus;
  }
}

TEST(CountdownTask, DemonstratesAttemptsThatCheckAsRightAndStopAtASuccess) {
  for (const double lookahead : {0.0, 0.35, 1.0}) {
    TaskConfig config = CountdownConfig(/*modulus=*/11, /*max_attempts=*/3);
    config.lookahead_probability = lookahead;
    const auto task = MakeCountdownTask(config);
    for (uint64_t index = 0; index < 500; ++index) {
      const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
      const std::string text = task->Demonstrate(problem, "search", kSeed, index);
      const std::vector<uint32_t> ids = task->tokenizer().Encode(text);
      EXPECT_EQ(task->tokenizer().Decode(ids), text);
      EXPECT_EQ(ids.size() % 14, 0U) << text;
      const StepCheck check = task->CheckSteps(problem, text);
      EXPECT_TRUE(check.well_formed) << text;
      EXPECT_EQ(check.step_correct, std::vector<bool>(ids.size() / 14, true)) << text;
      const bool stopped = text.ends_with("= 0 ;");
      EXPECT_EQ(task->Verify(problem, text).passed, stopped) << text;
      EXPECT_TRUE(stopped || check.step_correct.size() == 3) << text;
    }
  }
}

// The demonstrator itself against the exact recursion.
TEST(CountdownTask, DemonstratorSucceedsAsOftenAsExpected) {
  constexpr uint64_t kProblems = 20'000;
  for (const double lookahead : {0.0, 0.35, 1.0}) {
    TaskConfig config = CountdownConfig(/*modulus=*/5, /*max_attempts=*/3);
    config.lookahead_probability = lookahead;
    // The exact accuracy is over all problems, so next to none are held out here.
    config.eval_share = 1e-9;
    const auto task = MakeCountdownTask(config);
    const double expected = task->ExpectedAccuracy("search").value();
    uint64_t num_solved = 0;
    for (uint64_t index = 0; index < kProblems; ++index) {
      const Problem problem = task->MakeProblem(Split::kTrain, kSeed, index);
      const std::string text = task->Demonstrate(problem, "search", kSeed, index);
      num_solved += task->Verify(problem, text).passed ? 1 : 0;
    }
    const double rate = static_cast<double>(num_solved) / kProblems;
    const double deviation = std::sqrt(expected * (1 - expected) / kProblems);
    EXPECT_LT(std::abs(rate - expected), 3 * deviation)
        << rate << " against " << expected << " with lookahead " << lookahead;
  }
}

TEST(CountdownTask, NamesTheDemonstratorThatExists) {
  const auto task = MakeCountdownTask(CountdownConfig());
  EXPECT_THAT(task->demonstrators(), ElementsAre("search"));
  EXPECT_EQ(task->ExpectedAccuracy("exact"), std::nullopt);
  try {
    task->Demonstrate(SomeProblem(), "exact", kSeed, 0);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("'exact'"));
  }
}

struct Judged {
  const char* what;
  std::string response;
  std::string rule;
  std::vector<bool> step_correct;
  bool well_formed;
};

TEST(CountdownTask, VerifiesTheLastAttemptAndNothingThatIsNoAttempt) {
  const auto task = MakeCountdownTask(CountdownConfig());
  const std::string hit = "4 * 2 = 3 - 1 = 2 - 2 = 0 ;";
  const std::string miss = "4 * 2 = 3 + 1 = 4 - 2 = 2 ;";
  const std::string form = "not in the form of attempts";
  const std::vector<Judged> cases{
      {"a success at once", hit, "solved", {true}, true},
      {"a success at last", miss + " " + hit, "solved", {true, true}, true},
      {"another solution", "1 + 2 = 3 * 4 = 2 - 2 = 0 ;", "solved", {true}, true},
      {"no success", miss + " " + miss, "target missed", {true, true}, true},
      {"gave up early", miss, "target missed", {true}, false},
      // Only the last attempt counts, so a slip on the way costs nothing.
      {"a slip, then a success",
       "4 * 2 = 1 + 1 = 2 - 2 = 1 ; " + hit,
       "solved",
       {false, true},
       true},
      {"a number used twice",
       "4 + 4 = 3 - 1 = 2 - 2 = 0 ;",
       "does not use each number once",
       {false},
       true},
      {"a number of its own",
       "3 * 4 = 2 * 1 = 2 - 2 = 0 ;",
       "does not use each number once",
       {false},
       true},
      {"a wrong intermediate result",
       "4 * 1 = 3 - 2 = 2 - 2 = 0 ;",
       "wrong arithmetic",
       {false},
       true},
      {"a wrong result", "4 * 2 = 3 + 1 = 2 - 2 = 0 ;", "wrong arithmetic", {false}, true},
      {"a wrong difference", "4 * 2 = 3 + 1 = 4 - 2 = 0 ;", "wrong arithmetic", {false}, true},
      {"an easier target", "4 * 2 = 3 + 1 = 4 - 4 = 0 ;", "another target", {false}, true},
      {"went on after a success", hit + " " + miss, "went on after a success", {true}, false},
      {"the success twice", hit + " " + hit, "went on after a success", {true}, false},
      {"went on after a false success",
       "4 * 2 = 3 + 1 = 4 - 2 = 0 ; " + hit,
       "went on after a success",
       {false},
       false},
      {"a third attempt",
       miss + " " + miss + " " + hit,
       "more than 2 attempts",
       {true, true},
       false},
      {"the prompt again", "1 2 4 ? 2 >", form, {}, false},
      {"the prompt again, then a success", "1 2 4 ? 2 > " + hit, form, {}, false},
      {"a success, then the prompt", hit + " 1 2 4 ? 2 >", form, {true}, false},
      {"an answer by itself", "2", form, {}, false},
      {"a claim by itself", "2 - 2 = 0 ;", form, {}, false},
      {"nothing", "", form, {}, false},
      {"spaces", " \n ", form, {}, false},
      {"delimiters", "; ; ;", form, {}, false},
      {"two delimiters", hit + " ;", form, {true}, false},
      {"a delimiter first", "; " + hit, form, {}, false},
      {"no delimiter", "4 * 2 = 3 - 1 = 2 - 2 = 0", form, {}, false},
      {"breaks off", miss + " 4 * 2 =", form, {true}, false},
      {"another operation", "4 / 2 = 2 * 1 = 2 - 2 = 0 ;", form, {}, false},
      {"numbers written otherwise", "04 * 2 = 3 - 1 = 2 - 2 = 0 ;", form, {}, false},
      {"a number beyond the modulus", "4 * 2 = 8 - 1 = 2 - 2 = 0 ;", form, {}, false},
      {"a sign", "-1 * 2 = 3 - 1 = 2 - 2 = 0 ;", form, {}, false},
      {"the end token as text", hit + " <eos>", form, {true}, false},
      {"bytes that are no text", std::string("\0\xff\xfe", 3) + hit, form, {}, false},
  };
  for (const Judged& c : cases) {
    SCOPED_TRACE(c.what);
    const Verification verification = task->Verify(SomeProblem(), c.response);
    EXPECT_EQ(verification.rule, c.rule);
    EXPECT_EQ(verification.passed, c.rule == "solved");
    const StepCheck check = task->CheckSteps(SomeProblem(), c.response);
    EXPECT_EQ(check.step_correct, c.step_correct);
    EXPECT_EQ(check.well_formed, c.well_formed);
  }
}

// All 140,625 attempts at the target that the vocabulary can write. A separate program that shares
// no code with this one lists 15 solutions.
TEST(CountdownTask, PassesTheSolutionsOfAProblemAndNoOtherAttempt) {
  const auto task = MakeCountdownTask(CountdownConfig());
  const Problem problem = SomeProblem();
  const std::vector<std::string> digits{"0", "1", "2", "3", "4"};
  const std::vector<std::string> ops{"+", "-", "*"};
  std::vector<std::string> lefts;   // x o y = r
  std::vector<std::string> rights;  // o z = s - t = d ;
  for (const std::string& op : ops) {
    for (const std::string& a : digits) {
      for (const std::string& b : digits) {
        for (const std::string& c : digits) {
          lefts.push_back(a + " " + op + " " + b + " = " + c);
          rights.push_back(" " + op + " " + a + " = " + b + " - 2 = " + c + " ;");
        }
      }
    }
  }
  std::set<std::string> passed;
  for (const std::string& left : lefts) {
    for (const std::string& right : rights) {
      if (task->Verify(problem, left + right).passed) passed.insert(left + right);
    }
  }
  EXPECT_EQ(passed.size(), 15U);
  for (const char* solution : {"1 + 2 = 3 + 4 = 2 - 2 = 0 ;", "4 - 2 = 2 * 1 = 2 - 2 = 0 ;",
                               "2 - 1 = 1 - 4 = 2 - 2 = 0 ;"}) {
    EXPECT_EQ(passed.count(solution), 1U) << solution;
  }
}

TEST(CountdownTask, RefusesAProblemThatIsNoCountdown) {
  const auto task = MakeCountdownTask(CountdownConfig());
  for (const char* text :
       {"", ">", "1 2 4 ? 2", "1 2 4 2 >", "1 2 ? 4 2 >", "0 2 4 ? 2 >", "1 2 5 ? 2 >",
        "1 2 4 ? 5 >", "1 2 4 ? -1 >", "1 2 4 ? 2 > >", "1 + 2 >"}) {
    Problem problem;
    problem.text = text;
    try {
      task->Verify(problem, "");
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData) << text;
    }
  }
}

TEST(CountdownTask, RefusesConfigurationsThatItDoesNotTake) {
  EXPECT_THROW(MakeCountdownTask(CountdownConfig(1)), ConfigError);
  EXPECT_THROW(MakeCountdownTask(CountdownConfig(1001)), ConfigError);
  EXPECT_THROW(MakeCountdownTask(CountdownConfig(5, 0)), ConfigError);
  EXPECT_THROW(MakeCountdownTask(CountdownConfig(5, 19)), ConfigError);
}

}  // namespace
}  // namespace ponder
