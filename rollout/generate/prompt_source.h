// The prompts of one request, one after the other, whatever they come from.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/generate_request.h"
#include "core/base/types.h"
#include "core/config/experiment.h"
#include "tasks/task.h"

namespace ponder {

// A prompt and how it is sampled.
struct GeneratePrompt {
  Prompt prompt;  // task and reference only for problems of a task
  const Task* task = nullptr;
  bool is_problem = false;  // made by the task, which may answer back over several turns
};

// Ordinals, which key the draws: prompt i of a set has that of the set's lease i, so that its
// samples are those of the evaluation; prompt i of anything else has stream 0 and index i. Of a
// task and of a set, i is the problem's index; otherwise prompts count from 0.
//
// Reads text line by line, so that a conversation by pipe gets its answers at once. Not thread
// safe.
class PromptSource {
 public:
  // Everything is borrowed. `input`: standard input. Throws Error(kUsage) on a task or set that the
  // experiment does not have, and on problems that a set does not have.
  PromptSource(const GenerateRequest& request, const ExperimentConfig& experiment,
               const std::map<std::string, std::unique_ptr<Task>>& tasks, std::istream& input);

  // Nothing when there are no more. Throws Error(kBadData), or Error(kUsage) for an argument,
  // naming the prompt: a symbol outside the vocabulary, a line that is no JSON object with
  // "prompt". Throws Error(kUsage) when there was none at all.
  std::optional<GeneratePrompt> Next();

 private:
  std::optional<GeneratePrompt> NextProblem();
  std::optional<GeneratePrompt> FromText(const std::string& text, const std::string& where);
  // What a prompt that the policy cannot read is: wrong use in an argument, else bad data.
  Condition BadPrompt() const;
  // The next line that is not empty, and its number.
  std::optional<std::string> NextLine();

  const GenerateRequest& request_;
  const ExperimentConfig& experiment_;
  std::istream& input_;
  std::unique_ptr<std::istream> file_;  // of request.file
  std::string task_name_;
  const Task* task_ = nullptr;
  uint16_t stream_ = 0;
  uint64_t next_ = 0;  // prompts so far
  uint64_t line_ = 0;
};

}  // namespace ponder
