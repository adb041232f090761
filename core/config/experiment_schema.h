// The declarations of all keys of an experiment file.
#pragma once

#include <vector>

#include "core/config/schema.h"

namespace ponder {

// Most tokens of one sequence on the wire.
inline constexpr int64_t kMaxTokens = int64_t{1} << 20;

// Where a model's first weights can come from, as messages tell it.
inline constexpr const char* kModelInitForms =
    "{preset: NAME}, {run: NAME, step: N}, {run: NAME, step: best} and {run: NAME, stage: NAME}";

// The whole file: an ExperimentConfig. Immutable, made on first use.
const Section& ExperimentSection();

// Parts of it, each declared in its own file.
const Section& TaskSection();        // TaskConfig
const Section& StageSection();       // StageConfig
const Section& EvaluationSection();  // EvaluationConfig
const Section& RewardSection();      // RewardConfig

// Which algorithm, task and reward takes which keys, beyond those that all take. A new one is one
// more row.
std::vector<Kind> AlgorithmKinds();
std::vector<Kind> TaskKinds();
std::vector<Kind> RewardKinds();
// Who can demonstrate the problems of a task, and which type of reward decides whether an answer to
// them is right: exact_answer where they have a reference answer, task_verifier where they have
// not. By the task's type; empty for one that does not exist. A test holds these and TaskKinds
// against the tasks themselves, which this folder does not see.
std::vector<std::string> DemonstratorsOf(const std::string& task_type);
std::string AnswerRewardOf(const std::string& task_type);
std::vector<std::string> NamesOf(const std::vector<Kind>& kinds);

}  // namespace ponder
