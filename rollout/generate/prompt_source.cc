#include "rollout/generate/prompt_source.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/philox.h"
#include "core/base/streams.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

constexpr size_t kMaxLineBytes = size_t{1} << 20;
constexpr uint32_t kShownTokens = 40;

template <typename Named>
std::vector<std::string> NamesIn(const std::vector<Named>& list) {
  std::vector<std::string> names;
  for (const Named& item : list) names.push_back(item.name);
  return names;
}

[[noreturn]] void NoSuch(const std::string& what, const std::string& name,
                         const std::vector<std::string>& names, const std::string& label) {
  throw Error(Condition::kUsage, "generating: the run has no " + what + " '" + name + "'" +
                                     NameHint(name, names, label));
}

// "0 1 2 ... # <eos>", what the policy can read, for a prompt that it cannot.
std::string VocabularyHint(const Tokenizer& tokenizer) {
  std::string text;
  const uint32_t shown = std::min(tokenizer.vocab_size(), kShownTokens);
  for (uint32_t id = 0; id < shown; ++id) text += " " + tokenizer.TokenText(id);
  if (shown < tokenizer.vocab_size()) text += " ...";
  return "the vocabulary is" + text;
}

// The problems of a set are those that its evaluation asks.
void CheckRange(const GenerateRequest& request, const EvaluationConfig& set) {
  const auto size = static_cast<uint64_t>(set.num_prompts);
  if (request.index < size && request.num_prompts <= size - request.index) return;
  throw Error(Condition::kUsage, "generating: --set " + set.name + " has the prompts 0 to " +
                                     std::to_string(size - 1) + ", got --index " +
                                     std::to_string(request.index) + " --num-prompts " +
                                     std::to_string(request.num_prompts));
}

}  // namespace

PromptSource::PromptSource(const GenerateRequest& request, const ExperimentConfig& experiment,
                           const std::map<std::string, std::unique_ptr<Task>>& tasks,
                           std::istream& input)
    : request_(request), experiment_(experiment), input_(input) {
  task_name_ = request.task;
  if (!request.set.empty()) {
    const auto& sets = experiment.evaluation;
    const auto found = std::find_if(sets.begin(), sets.end(),
                                    [&](const auto& set) { return set.name == request.set; });
    if (found == sets.end()) {
      NoSuch("evaluation", request.set, NamesIn(sets), "its evaluations are");
    }
    CheckRange(request, *found);
    task_name_ = found->task;
    stream_ = static_cast<uint16_t>(kEvaluationStreams + (found - sets.begin()));
  }
  const bool of_task = !task_name_.empty();
  const auto task = of_task ? tasks.find(task_name_) : tasks.begin();
  if (task == tasks.end()) {
    NoSuch("task", task_name_, NamesIn(experiment.tasks), "its tasks are");
  }
  task_ = task->second.get();
  if (of_task || request.file.empty()) return;
  file_ = std::make_unique<std::ifstream>(request.file);
  if (!*file_) {
    throw Error(Condition::kIo, "reading prompts: " + request.file + " cannot be opened");
  }
}

std::optional<GeneratePrompt> PromptSource::Next() {
  if (!task_name_.empty()) return NextProblem();
  if (!request_.prompts.empty()) {
    if (next_ == request_.prompts.size()) return std::nullopt;
    return FromText(request_.prompts[next_], "prompt " + std::to_string(next_ + 1));
  }
  const std::optional<std::string> line = NextLine();
  if (!line && next_ == 0) {
    throw Error(Condition::kUsage,
                "generating: expected a prompt, got none in " +
                    (file_ == nullptr ? "the arguments or standard input" : request_.file));
  }
  if (!line) return std::nullopt;
  if (file_ == nullptr) return FromText(*line, "line " + std::to_string(line_));
  const std::string where = request_.file + ":" + std::to_string(line_);
  const nlohmann::json object = ParseJsonStrict(*line, where, kMaxLineBytes);
  if (!object.is_object() || !object.contains("prompt") || !object.at("prompt").is_string()) {
    throw Error(Condition::kBadData, where + ": expected an object with \"prompt\", a text");
  }
  return FromText(object.at("prompt").get<std::string>(), where);
}

std::optional<GeneratePrompt> PromptSource::NextProblem() {
  if (next_ == request_.num_prompts) return std::nullopt;
  const uint64_t index = request_.index + next_++;
  const Problem problem = task_->MakeProblem(Split::kEvaluate, experiment_.run.seed, index);
  return GeneratePrompt{
      .prompt = MakePrompt(*task_, task_name_, problem, Ordinal{stream_, 0, index}.Pack()),
      .task = task_,
      .is_problem = true};
}

std::optional<GeneratePrompt> PromptSource::FromText(const std::string& text,
                                                     const std::string& where) {
  GeneratePrompt result{.prompt = {}, .task = task_, .is_problem = false};
  result.prompt.ordinal = Ordinal{0, 0, next_++}.Pack();
  try {
    result.prompt.token_ids = task_->tokenizer().Encode(text);
  } catch (const Error& error) {
    throw Error(BadPrompt(),
                where + ": " + error.what() + " (" + VocabularyHint(task_->tokenizer()) + ")");
  }
  if (result.prompt.token_ids.empty()) {
    throw Error(BadPrompt(), where + ": expected a prompt, got no token (" +
                                 VocabularyHint(task_->tokenizer()) + ")");
  }
  return result;
}

Condition PromptSource::BadPrompt() const {
  return request_.prompts.empty() ? Condition::kBadData : Condition::kUsage;
}

std::optional<std::string> PromptSource::NextLine() {
  std::istream& stream = file_ != nullptr ? *file_ : input_;
  std::string line;
  while (std::getline(stream, line)) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) return line;
  }
  return std::nullopt;
}

}  // namespace ponder
