// --set KEY=VALUE.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "core/config/experiment.h"
#include "tests/core/config/test_experiments.h"

namespace ponder {
namespace {

ExperimentConfig With(const std::vector<std::string>& overrides) {
  return ParseExperiment(std::string(kValidExperiment), "x.yaml", overrides);
}

std::string ProblemsWith(const std::vector<std::string>& overrides) {
  return ProblemsOf(std::string(kValidExperiment), overrides);
}

TEST(OverridesTest, EntriesOfListsGoByNameAndByIndex) {
  EXPECT_EQ(With({"stages.reason.num_steps=10"}).Stage("reason").num_steps, 10);
  EXPECT_EQ(With({"stages.1.num_steps=11"}).Stage("reason").num_steps, 11);
  EXPECT_EQ(With({"evaluation.heldout.num_prompts=3"}).evaluation.at(0).num_prompts, 3);
  EXPECT_EQ(With({"stages.reason.rewards.answer.weight=2"}).Stage("reason").rewards.at(0).weight,
            2);
}

TEST(OverridesTest, SectionsByNameGoByName) {
  EXPECT_EQ(With({"tasks.chain.modulus=13"}).Task("chain").modulus, 13);
}

TEST(OverridesTest, SectionsThatTheFileLeavesOutAreMade) {
  EXPECT_EQ(With({"launch.workers=4"}).launch.workers, 4);
  EXPECT_EQ(With({"stages.imitate.optimizer.betas=[0.8, 0.9]"}).Stage("imitate").optimizer.betas,
            (std::vector<double>{0.8, 0.9}));
}

TEST(OverridesTest, WholeSectionsAndListsCanBeSet) {
  EXPECT_TRUE(With({"evaluation=[]"}).evaluation.empty());
  const ClipConfig clip = With({"stages.reason.clip={low: 0.1, high: 0.3}"}).Stage("reason").clip;
  EXPECT_EQ(clip, (ClipConfig{.low = 0.1, .high = 0.3}));
}

TEST(OverridesTest, TheLastOneWins) { EXPECT_EQ(With({"run.seed=1", "run.seed=2"}).run.seed, 2u); }

TEST(OverridesTest, ValuesKeepTheirEqualsSigns) { EXPECT_EQ(With({"run.dir=a=b"}).run.dir, "a=b"); }

TEST(OverridesTest, ValuesReadTheEnvironment) {
  setenv("PONDER_TEST_SEED", "41", 1);
  EXPECT_EQ(With({"run.seed=${PONDER_TEST_SEED}"}).run.seed, 41u);
}

TEST(OverridesTest, WrongOverridesAreToldByTheirKey) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"stages.reason.num_steps=x",
       "stages[1].num_steps: expected a whole number, 1 or more, got 'x'"},
      {"stages.reason.num_steps=0",
       "stages[1].num_steps: expected a whole number, 1 or more, got '0'"},
      {"stages.reason.num_stepz=3",
       "unknown key 'num_stepz' in stages[1]; did you mean 'num_steps'?"},
      {"stage.reason.num_steps=3", "unknown key 'stage' in the file; did you mean 'stages'?"},
      {"stages.raeson.num_steps=3", "no entry 'raeson' in stages; did you mean 'reason'?"},
      {"stages.zz.num_steps=3",
       "no entry 'zz' in stages; expected an index or one of imitate, reason"},
      {"stages.2.num_steps=3", "stages has 2 entries, got index 2 (the first is 0)"},
      {"stages.-1.num_steps=3",
       "no entry '-1' in stages; expected an index or one of imitate, reason"},
      {"run.seed.x=3", "run.seed is a value and has no key 'x'"},
      {"run.seed=", "expected a value after '=', got nothing"},
      {"run.seed= ", "expected a value after '=', got nothing"},
      {"run.seed=null", "expected a value after '=', got nothing"},
      {"run.seed", "expected KEY=VALUE, got no '='"},
      {"=3", "expected a key like stages.reason.num_steps before '='"},
      {"run..seed=3", "expected a key like stages.reason.num_steps before '='"},
      {"run.=3", "expected a key like stages.reason.num_steps before '='"},
      {"stages.imitate.clip.low=0.1",
       "stages[0].clip: algorithm 'sft' takes no 'clip'; it is for grpo"},
      {"stages.reason.task=chian", "stages[1].task: no task 'chian'; did you mean 'chain'?"},
      {"run.seed=[1", "not readable as YAML: end of sequence flow not found"},
      {"run.seed=!!int 1", "YAML tags are not taken, got 'tag:yaml.org,2002:int'"},
  };
  for (const Case& wrong : cases) {
    const std::string text = wrong.text;
    EXPECT_EQ(ProblemsWith({text}),
              "--set " + text.substr(0, text.find('=')) + ": " + wrong.message);
  }
}

TEST(OverridesTest, TheKeyIsNotSaidTwice) {
  EXPECT_EQ(ProblemsWith({"launch.workers=0"}),
            "--set launch.workers: expected a whole number, 1 to 1024, got '0'");
}

TEST(OverridesTest, WhatIsSetIsNotSaidAgain) {
  const std::string problems =
      ProblemsWith({"stages.reason.rewards=[{name: a, type: http, model: m, template: "
                    "'{response}', url: 'https://u:secretpw@h/v1', api_key: sk-SECRET, colour: 1}]",
                    "stages.reason.rewards: {api_key: sk-SECRET}"});
  EXPECT_NE(problems.find("--set stages.reason.rewards: unknown key 'api_key' in "),
            std::string::npos)
      << problems;
  EXPECT_TRUE(problems.ends_with("--set stages.reason.rewards: expected KEY=VALUE, got no '='"))
      << problems;
  EXPECT_EQ(problems.find("SECRET"), std::string::npos) << problems;
  EXPECT_EQ(problems.find("secretpw"), std::string::npos) << problems;
}

TEST(OverridesTest, ProblemsOfTheFileComeBeforeThoseOfOverridesInTheirOrder) {
  EXPECT_EQ(ProblemsOf(Spoiled("seed: 7", "seed: x"), {"launch.workers=0", "launch.workers"}),
            "x.yaml:2:25: run.seed: expected a whole number, 0 to 18446744073709551615, got 'x'\n"
            "--set launch.workers: expected a whole number, 1 to 1024, got '0'\n"
            "--set launch.workers: expected KEY=VALUE, got no '='");
}

}  // namespace
}  // namespace ponder
