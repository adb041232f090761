// A small experiment and requests for it, for tests of reward services.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/wire.h"
#include "core/config/experiment.h"
#include "ponder/v1/reward.pb.h"
#include "reward/service/reward_source.h"

namespace ponder::testing {

inline constexpr const char* kRunId = "run-1";
inline constexpr uint32_t kAttempt = 1;

// Stage `reason` judged by `answer` and `form`, evaluation `heldout` by `answer` alone.
inline const char* const kExperimentYaml = R"(
config_version: 1
run: {name: rewards, seed: 1, dir: runs}
tasks:
  chain: {type: chain, modulus: 11, num_operations: {min: 1, max: 2}}
  other: {type: chain, modulus: 11, num_operations: {min: 1, max: 2}}
evaluation:
  - {name: heldout, task: chain, num_prompts: 4, num_samples: 2, every_steps: 4}
models:
  policy: {init: {preset: tiny}}
stages:
  - name: imitate
    algorithm: sft
    data: {task: chain, demonstrator: sloppy}
    num_steps: 2
    batch_size: 8
  - name: reason
    algorithm: grpo
    task: chain
    num_steps: 2
    prompts_per_step: 4
    samples_per_prompt: 2
    rollout: {temperature: 1.0, max_new_tokens: 16}
    rewards:
      - {name: answer, type: exact_answer, weight: 2.0}
      - {name: form, type: format, weight: 0.25}
)";

// What sources of a test work with: never stopped, quiet.
inline RewardContext Context() {
  static TcpChannelFactory channels(/*allow_remote=*/false);
  static const Log log("test", /*rank=*/-1, LogLevel::kError);
  static const std::function<bool()> stop = [] { return false; };
  return {.channels = channels, .log = log, .stop = stop, .run_id = kRunId};
}

inline ExperimentConfig Experiment() { return ParseExperiment(kExperimentYaml, "test", {}); }

// The problem `4 + 8 > ` with the answer 1.
inline Prompt PromptOf(std::string gold = "1") {
  Prompt prompt;
  prompt.ordinal = 5;
  prompt.task = "chain";
  prompt.token_ids = {4, 11, 8, 14};
  prompt.messages = {{"user", "4 + 8 >"}};
  prompt.reference_answer = std::move(gold);
  return prompt;
}

// One completion per text, all ended by the policy.
inline v1::ScoreRequest RequestOf(const std::vector<std::string>& texts,
                                  const std::string& reward_set = "stage/reason") {
  v1::ScoreRequest request;
  request.set_run_id(kRunId);
  request.set_attempt(kAttempt);
  request.set_reward_set(reward_set);
  *request.mutable_prompt() = ToWire(PromptOf());
  for (const std::string& text : texts) {
    v1::Completion* completion = request.add_completions();
    completion->set_sample_index(static_cast<uint32_t>(request.completions_size() - 1));
    completion->set_text(text);
    completion->set_finish_reason(v1::FINISH_REASON_STOP);
  }
  return request;
}

inline const char* const kRight = "4 + 8 = 1 ; # 1";

}  // namespace ponder::testing
