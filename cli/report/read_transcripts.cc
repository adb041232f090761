#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/report/json_lines.h"
#include "cli/report/run_data.h"
#include "cli/report/scale.h"

namespace ponder::report {
namespace {

using nlohmann::json;

// What a page shows of a stage: more can be read in samples/.
constexpr size_t kTrainingSteps = 5;
constexpr size_t kPromptsOfTraining = 1;
constexpr size_t kPromptsOfEvaluation = 4;
constexpr size_t kSamples = 4;  // of each prompt; a greedy one besides

template <typename T>
T ValueOf(const json& line, const char* key, T otherwise) {
  const auto found = line.find(key);
  if (found == line.end()) return otherwise;
  if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->get<bool>() : otherwise;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->get<std::string>() : otherwise;
  } else if constexpr (std::is_same_v<T, double>) {
    return found->is_number() ? found->get<double>() : otherwise;
  } else {
    return found->is_number_unsigned() ? found->get<T>() : otherwise;
  }
}

std::string RewardsOf(const json& line) {
  std::string text;
  const auto rewards = line.find("rewards");
  if (rewards == line.end() || !rewards->is_array()) return text;
  for (const json& reward : *rewards) {
    if (!reward.is_object()) continue;
    text += text.empty() ? "" : ", ";
    text += ValueOf<std::string>(reward, "source", "") + " " +
            ShortNumber(ValueOf<double>(reward, "value", 0));
    const std::string rule = ValueOf<std::string>(reward, "rule", "");
    if (!rule.empty()) text += " (" + rule + ")";
  }
  return text;
}

void AddTokens(const json& line, Transcript* transcript) {
  const auto tokens = line.find("tokens");
  const auto logprobs = line.find("logprobs");
  if (tokens == line.end() || !tokens->is_array()) return;
  const bool has_logprobs =
      logprobs != line.end() && logprobs->is_array() && logprobs->size() == tokens->size();
  for (size_t i = 0; i < tokens->size(); ++i) {
    TranscriptToken token;
    if ((*tokens)[i].is_string()) token.text = (*tokens)[i].get<std::string>();
    if (has_logprobs && (*logprobs)[i].is_number()) token.logprob = (*logprobs)[i].get<double>();
    transcript->tokens.push_back(std::move(token));
  }
  if (const auto cut = line.find("cut"); cut != line.end() && cut->is_object()) {
    transcript->cut_after = ValueOf<uint64_t>(*cut, "after", 0);
    transcript->cut_tokens = ValueOf<uint64_t>(*cut, "tokens", 0);
  }
}

Transcript TranscriptOf(const json& line) {
  Transcript transcript;
  transcript.stage = ValueOf<std::string>(line, "stage", "");
  transcript.set = ValueOf<std::string>(line, "set", "");
  transcript.stage_step = ValueOf<uint64_t>(line, "stage_step", 0);
  transcript.ordinal = ValueOf<uint64_t>(line, "ordinal", 0);
  transcript.sample = ValueOf<uint64_t>(line, "sample", 0);
  transcript.greedy = ValueOf<bool>(line, "greedy", false);
  transcript.reward = ValueOf<double>(line, "reward", 0);
  transcript.correct = ValueOf<bool>(line, "correct", transcript.reward > 0);
  transcript.ran_out = ValueOf<std::string>(line, "finish", "") == "length";
  transcript.prompt = ValueOf<std::string>(line, "prompt", "");
  transcript.reference = ValueOf<std::string>(line, "reference", "");
  transcript.rewards = RewardsOf(line);
  AddTokens(line, &transcript);
  return transcript;
}

// Takes the files one after the other until the page has enough.
class TranscriptReader {
 public:
  TranscriptReader(size_t max_tokens, RunData* run) : max_tokens_(max_tokens), run_(*run) {}

  // Lines of other stages than `stage` are passed over.
  void ReadFile(const std::string& stage, const std::string& name, size_t max_prompts) {
    uint64_t prompts = 0;
    uint64_t last_ordinal = 0;
    size_t samples = 0;
    const JsonLinesCount count =
        ReadJsonLines(run_.folder + "/samples/" + name, [&](const json& line) {
          if (prompts > max_prompts) return;
          Transcript transcript = TranscriptOf(line);
          if (transcript.stage != stage) return;
          if (prompts == 0 || transcript.ordinal != last_ordinal) {
            ++prompts;
            samples = 0;
          }
          last_ordinal = transcript.ordinal;
          if (prompts > max_prompts || (!transcript.greedy && samples++ >= kSamples)) return;
          Add(std::move(transcript));
        });
    const std::string damage = DescribeDamage("samples/" + name, count);
    if (!damage.empty()) run_.notes.push_back(damage);
  }

  uint64_t left_out() const { return left_out_; }

 private:
  void Add(Transcript transcript) {
    num_tokens_ += transcript.tokens.size();
    if (num_tokens_ > max_tokens_) {
      ++left_out_;
      return;
    }
    run_.transcripts.push_back(std::move(transcript));
  }

  const size_t max_tokens_;
  RunData& run_;
  size_t num_tokens_ = 0;
  uint64_t left_out_ = 0;
};

// The step in "step_000120.jsonl"; 0 for other names.
uint64_t StepOfFile(const std::string& name) {
  constexpr std::string_view kPrefix = "step_";
  if (!name.starts_with(kPrefix) || !name.ends_with(".jsonl")) return 0;
  uint64_t step = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  return step;
}

}  // namespace

void ReadTranscripts(FileSystem& files, size_t max_tokens, RunData* run) {
  const std::vector<std::string> names = files.List(run->folder + "/samples");
  TranscriptReader reader(max_tokens, run);
  for (const StageData& stage : run->stages) {
    std::vector<std::string> of_steps;
    for (const std::string& name : names) {
      const uint64_t step = StepOfFile(name);
      if (step > stage.steps_before && step <= stage.steps_before + stage.num_steps) {
        of_steps.push_back(name);
      }
    }
    for (const size_t i : SpreadIndices(of_steps.size(), kTrainingSteps)) {
      reader.ReadFile(stage.name, of_steps[i], kPromptsOfTraining);
    }
    for (const std::string& name : names) {
      if (name.ends_with("_after_" + stage.name + ".jsonl"))
        reader.ReadFile(stage.name, name, kPromptsOfEvaluation);
    }
  }
  if (reader.left_out() > 0) {
    run->notes.push_back(std::to_string(reader.left_out()) +
                         " long transcripts are not on this page; they are in samples/");
  }
}

}  // namespace ponder::report
