// `ponder generate` and `ponder eval` on a real run, as a person uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/answers/final_answer.h"
#include "tests/integration/process_run.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 120;

// One finished run for all tests of this file.
const UpRun& FinishedRun() {
  static const UpRun kRun("results", kConfig);
  static const ProcessRun kResult = kRun.Start({}, "", kLimitS);
  EXPECT_EQ(kResult.exit_code, 0) << kResult.output;
  return kRun;
}

// stdout alone, by way of a file.
ProcessRun Ponder(const std::string& arguments, const std::string& input = {}) {
  const std::string out = ::testing::TempDir() + "ponder_results_stdout";
  const std::string program = std::string(std::getenv("PONDER_BIN_DIR")) + "/ponder ";
  std::string command = program + arguments + " > " + out;
  if (!input.empty()) command = "printf '" + input + "' | " + command;
  std::ofstream(out + ".sh") << command << "\n";
  const ProcessRun run = RunCommand("bash -o pipefail " + out + ".sh", {}, kLimitS);
  std::ostringstream text;
  text << std::ifstream(out).rdbuf();
  // What RunCommand caught is stderr.
  return {run.exit_code, run.exit_code == 0 ? text.str() : run.output};
}

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

std::vector<json> LinesOfFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return Lines(text.str());
}

TEST(GenerateTest, AnswersPromptsFromArgumentsAndFromStandardInputAlike) {
  const std::string run = FinishedRun().folder();
  const ProcessRun arguments = Ponder("generate " + run + " '3 + 4 >' '5 * 2 >'");
  ASSERT_EQ(arguments.exit_code, 0) << arguments.output;
  EXPECT_THAT(arguments.output, HasSubstr("3 + 4 > "));
  EXPECT_THAT(arguments.output, HasSubstr("\n5 * 2 > "));
  const ProcessRun piped = Ponder("generate " + run, "3 + 4 >\\n\\n5 * 2 >\\n");
  EXPECT_EQ(piped.output, arguments.output);
  const ProcessRun other = Ponder("generate " + run + " --seed 99 --temperature 5 '3 + 4 >'");
  EXPECT_THAT(arguments.output, Not(HasSubstr(other.output))) << "another seed, hotter";
}

TEST(GenerateTest, APromptOfASetGetsTheSamplesOfTheEvaluation) {
  const std::string run = FinishedRun().folder();
  const ProcessRun generated =
      Ponder("generate " + run + " --set final --num-prompts 4 --num-samples 2 --json");
  ASSERT_EQ(generated.exit_code, 0) << generated.output;
  const std::vector<json> samples = Lines(generated.output);
  const std::vector<json> outcomes = LinesOfFile(run + "/outcomes/final_after_reason.jsonl");
  ASSERT_EQ(samples.size(), 8U);
  ASSERT_EQ(outcomes.size(), 4U);
  for (size_t prompt = 0; prompt < 4; ++prompt) {
    std::map<std::string, int> answers;
    for (size_t row = 0; row < 2; ++row) {
      const json& sample = samples[2 * prompt + row];
      EXPECT_EQ(sample.at("reference"), outcomes[prompt].at("reference"));
      const auto answer = CommittedAnswer(sample.at("response").get<std::string>(), kAnswerMarker,
                                          sample.at("finish_reason") == "length");
      if (answer) ++answers[*answer];
    }
    std::map<std::string, int> counted;
    for (const json& answer : outcomes[prompt].at("answers")) {
      counted[answer.at("answer").get<std::string>()] = answer.at("count").get<int>();
    }
    EXPECT_EQ(answers, counted) << "prompt " << prompt;
  }
}

TEST(GenerateTest, ShowsProbabilitiesOfEveryToken) {
  const std::string run = FinishedRun().folder();
  const ProcessRun text = Ponder("generate " + run + " '3 + 4 >' --probs --temperature 0");
  ASSERT_EQ(text.exit_code, 0) << text.output;
  EXPECT_THAT(text.output, HasSubstr("3 + 4 >\n  "));
  const ProcessRun lines = Ponder("generate " + run + " '3 + 4 >' --probs --temperature 0 --json");
  const json sample = Lines(lines.output).at(0);
  EXPECT_EQ(sample.at("tokens").size(), sample.at("num_sampled_tokens").get<size_t>());
  for (const json& token : sample.at("tokens")) EXPECT_LE(token.at("logprob").get<double>(), 0.0);
}

TEST(GenerateTest, ReadsJsonLinesAndAnyCheckpoint) {
  const std::string run = FinishedRun().folder();
  const std::string file = ::testing::TempDir() + "ponder_results_prompts.jsonl";
  std::ofstream(file) << "{\"prompt\": \"3 + 4 >\", \"answer\": \"7\"}\n";
  const ProcessRun whole = Ponder("generate " + run + " --file " + file + " --step 92");
  ASSERT_EQ(whole.exit_code, 0) << whole.output;
  const ProcessRun folder =
      Ponder("generate " + run + "/checkpoints/step_000092 '3 + 4 >' --num-samples 1");
  EXPECT_EQ(folder.output, whole.output);
  EXPECT_EQ(Ponder("generate " + run + "/stages/imitate/start '3 + 4 >'").exit_code, 0);
  std::ofstream(file) << "{\"promt\": \"3 + 4 >\"}\n";
  const ProcessRun wrong = Ponder("generate " + run + " --file " + file);
  EXPECT_EQ(wrong.exit_code, 65);
  EXPECT_THAT(wrong.output, HasSubstr(":1: expected an object with \"prompt\""));
}

struct Mistake {
  std::string arguments;  // after the run's folder
  int exit_code;
  std::string message;
};

TEST(GenerateTest, MistakesAreNamed) {
  const std::string run = FinishedRun().folder();
  std::string longest;
  for (int i = 0; i < 300; ++i) longest += "3 ";
  const std::vector<Mistake> mistakes = {
      {"'3 + four >'", 2,
       "prompt 1: encoding text: expected a symbol of the vocabulary at byte 4, "
       "got 'four' (the vocabulary is 0 1 2 3"},
      {"'" + longest + "'", 65, "expected at most 255 tokens, one less than the model's context"},
      {"'3 >' --task chain", 2, "expected prompts from one place"},
      {"'3 >' --index 3", 2, "--index and --num-prompts count the problems"},
      {"'3 >' --seed -1", 2,
       "--seed: expected a whole number, 0 to 18446744073709551615, got '-1'"},
      {"--task chain --index -1", 2, "--index: expected a whole number, 0 or more, got '-1'"},
      {"--task chain --num-prompts 0", 2, "--num-prompts: expected a whole number, 1 or more"},
      {"--set final --index 99999999", 2,
       "--set final has the prompts 0 to 3, got --index 99999999"},
      {"--set final --index 2 --num-prompts 3", 2, "got --index 2 --num-prompts 3"},
      {"--file /dev/null", 2, "expected a prompt, got none in /dev/null"},
      {"--task chian", 2, "the run has no task 'chian'; did you mean 'chain'?"},
      {"--set hedlout", 2, "the run has no evaluation 'hedlout'; did you mean 'heldout'?"},
      {"'3 >' --step 5", 65, "expected a checkpoint of step 5; those that it has are of steps"},
      {"'3 >' --step newest", 2, "--step: expected a step of the run, or best, got 'newest'"},
      {"'3 >' --temperature 0 --num-samples 2", 2, "greedy answers are all the same"},
  };
  for (const Mistake& mistake : mistakes) {
    const ProcessRun result = Ponder("generate " + run + " " + mistake.arguments);
    EXPECT_EQ(result.exit_code, mistake.exit_code) << mistake.arguments;
    EXPECT_THAT(result.output, HasSubstr(mistake.message));
  }
  const ProcessRun none = Ponder("generate " + run + "_that_is_not_there '3 >'");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("expected a run folder or a name below runs/"));
}

// The last line of an evaluation set in the run's own metrics.
json LastLineOf(const std::string& run, const std::string& set) {
  json last;
  for (const json& line : LinesOfFile(run + "/metrics.jsonl")) {
    if (line.value("set", "") == set) last = line;
  }
  return last;
}

TEST(EvalTest, TheLastCheckpointIsMeasuredExactlyAsTheRunMeasuredIt) {
  const std::string run = FinishedRun().folder();
  const ProcessRun result = Ponder("eval " + run + " --json -");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const json evaluation = json::parse(result.output);
  EXPECT_EQ(evaluation.at("step"), 94);
  ASSERT_EQ(evaluation.at("sets").size(), 2U);
  for (const json& set : evaluation.at("sets")) {
    const json line = LastLineOf(run, set.at("set").get<std::string>());
    for (const auto& [name, share] : set.at("shares").items()) {
      EXPECT_EQ(share.at("value"), line.at("val/" + name)) << name;
      EXPECT_EQ(share.at("low"), line.at("val/" + name + "_low")) << name;
      EXPECT_EQ(share.at("high"), line.at("val/" + name + "_high")) << name;
    }
    EXPECT_TRUE(set.at("shares").contains("maj_at_2"));
    EXPECT_TRUE(fs::exists(set.at("outcomes").get<std::string>()));
  }

  const auto before = fs::last_write_time(run + "/evaluations/step_000094/metrics.jsonl");
  const ProcessRun again = Ponder("eval " + run);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.output, HasSubstr("heldout: 4 prompts of task chain, 2 samples each"));
  EXPECT_THAT(again.output, HasSubstr("greedy"));
  EXPECT_EQ(fs::last_write_time(run + "/evaluations/step_000094/metrics.jsonl"), before)
      << "a stored result is shown";
}

TEST(EvalTest, TakesSetsSamplesAndTheBestCheckpoint) {
  const std::string run = FinishedRun().folder();
  const std::string file = ::testing::TempDir() + "ponder_results_eval.json";
  const ProcessRun result =
      Ponder("eval " + run + " --step best --set final --samples 8 --json " + file);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("final: 4 prompts of task chain, 8 samples each"));
  EXPECT_THAT(result.output, Not(HasSubstr("heldout")));
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const json evaluation = json::parse(text.str());
  EXPECT_TRUE(evaluation.at("sets").at(0).at("shares").contains("pass_at_8"));
  const std::string best = run + "/checkpoints/step_0000" + evaluation.at("step").dump();
  EXPECT_TRUE(fs::exists(best)) << best;
}

TEST(EvalTest, MistakesAreNamed) {
  const std::string run = FinishedRun().folder();
  const ProcessRun set = Ponder("eval " + run + " --set heldot");
  EXPECT_EQ(set.exit_code, 2);
  EXPECT_THAT(set.output, HasSubstr("no evaluation 'heldot'; did you mean 'heldout'?"));
  const ProcessRun key = Ponder("eval " + run + " --set run.seed=3");
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.output, HasSubstr("here --set names an evaluation"));
}

TEST(ForkTest, ARunStartsFromTheBestCheckpointOfAnother) {
  const UpRun& parent = FinishedRun();
  const std::string config = std::string(std::getenv("PONDER_SOURCE_DIR")) + "/configs/" + kConfig;
  const ProcessRun fork =
      Ponder("up " + config + " --set run.dir=" + parent.directory() +
             " --set run.name=fork --set 'models.policy.init={run: run, step: best}'"
             " --set stages.pretrain.num_steps=1 --set stages.imitate.num_steps=1"
             " --set stages.reason.num_steps=1");
  ASSERT_EQ(fork.exit_code, 0) << fork.output;
  // The start of the first stage holds the weights that the fork began with.
  const auto weights = [](const std::string& folder) {
    std::ostringstream text;
    text << std::ifstream(folder + "/policy/model.safetensors", std::ios::binary).rdbuf();
    return text.str();
  };
  std::ostringstream state;
  state << std::ifstream(parent.folder() + "/checkpoints/step_000094/state.json").rdbuf();
  const int step = json::parse(state.str()).at("best").at("step").get<int>();
  EXPECT_EQ(weights(parent.directory() + "/fork/stages/pretrain/start"),
            weights(parent.folder() + "/checkpoints/step_0000" + std::to_string(step)));
}

}  // namespace
}  // namespace ponder
