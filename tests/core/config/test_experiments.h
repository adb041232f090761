// A small valid experiment, and ways to spoil it.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Two stages, one of each algorithm, over two tasks. Line numbers are those that the tests expect.
inline constexpr std::string_view kValidExperiment = R"(config_version: 1
run: {name: demo, seed: 7}
tasks:
  facts: {type: chain, num_operations: {min: 1, max: 2}}
  chain:
    type: chain
    modulus: 11
    num_operations: {min: 2, max: 3}
evaluation:
  - {name: heldout, task: chain, num_prompts: 16, every_steps: 5}
models:
  policy: {init: {preset: tiny}}
stages:
  - name: imitate
    algorithm: sft
    data: {task: facts, demonstrator: exact}
    num_steps: 10
    batch_size: 8
    optimizer: {learning_rate: 1.0e-3}
    schedule: {name: linear, warmup_steps: 2, decay_steps: 10}
  - name: reason
    algorithm: grpo
    task: chain
    num_steps: 20
    prompts_per_step: 4
    samples_per_prompt: 8
    optimizer:
      learning_rate: 5.0e-4
      betas: [0.9, 0.99]
    clip: {low: 0.2, high: 0.28}
    rollout: {temperature: 1.0, max_new_tokens: 32}
    rewards:
      - {name: answer, type: exact_answer, weight: 1.0}
checkpoint: {save_steps: 5, keep: 2}
)";

// kValidExperiment with its first `from` replaced by `to`. Empty when `from` does not occur.
std::string Spoiled(std::string_view from, std::string_view to);

// A wrong experiment, as the parameter of a test.
struct WrongExperiment {
  const char* name;
  const char* from;  // in the valid experiment
  const char* to;
  const char* message;  // word for word; a test may put names for words that begin with '$'
};
inline void PrintTo(const WrongExperiment& wrong, std::ostream* stream) { *stream << wrong.name; }
// The name of a test by its parameter.
inline constexpr auto NameOfCase = [](const auto& info) { return std::string(info.param.name); };

// The problems that the reader tells about `text`, called x.yaml, with `overrides`; empty when
// there are none.
std::string ProblemsOf(const std::string& text, const std::vector<std::string>& overrides = {});

}  // namespace ponder
