// What the samples of each prompt of an evaluation came to, and what that says about more than one
// sample at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/types.h"
#include "core/text/tokenizer.h"
#include "trainer/estimators.h"

namespace ponder {

struct PromptOutcome {
  uint64_t problem = 0;  // the task's own index
  std::string reference;
  int64_t num_samples = 0;  // 0: the group failed
  int64_t num_right = 0;
  std::vector<AnswerCount> answers;  // that samples committed to, sorted by text
  std::optional<bool> greedy_right;
  std::string failure;  // why there is no sample
};

// One outcome per group, in their order. Answers are read from the sampled text as the rule
// `exact_answer` reads them; whether they are right is what the group's rewards say.
std::vector<PromptOutcome> OutcomesOf(const std::vector<TrajectoryGroup>& groups,
                                      const Tokenizer& tokenizer);

// val/pass_at_K and val/maj_at_K with their 95 % intervals (_low, _high), for the powers of two
// that fit the fewest samples of a prompt: means over the prompts that have samples, with the
// normal interval over prompts (ClusteredInterval). Empty when there are none.
std::map<std::string, double> SubsetMetrics(const std::vector<PromptOutcome>& outcomes);

// Writes outcomes/EVALUATION_after_STAGE.jsonl of the run folder, one JSON object per prompt.
void WriteOutcomes(FileSystem& files, const std::string& run_dir, const std::string& evaluation,
                   const std::string& stage, const std::vector<PromptOutcome>& outcomes);

}  // namespace ponder
