// Problems to prompts and back.
#include "tasks/task.h"

namespace ponder {

Prompt MakePrompt(const Task& task, const std::string& task_name, const Problem& problem,
                  uint64_t ordinal) {
  Prompt prompt;
  prompt.ordinal = ordinal;
  prompt.task = task_name;
  prompt.problem = problem.index;
  prompt.token_ids = task.tokenizer().Encode(problem.text);
  prompt.messages = {{"user", problem.text}};
  prompt.reference_answer = problem.reference_answer;
  prompt.metadata = problem.metadata;
  return prompt;
}

Problem ProblemOf(const Prompt& prompt) {
  Problem problem;
  problem.index = prompt.problem;
  if (!prompt.messages.empty()) problem.text = prompt.messages.front().content;
  problem.reference_answer = prompt.reference_answer;
  problem.metadata = prompt.metadata;
  return problem;
}

}  // namespace ponder
