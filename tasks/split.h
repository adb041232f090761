// Which problems training may see and which are held out for evaluation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/philox.h"
#include "core/config/experiment.h"
#include "tasks/task.h"

namespace ponder {

// A problem with the text that its split goes by. Problems of equal keys share a split.
struct KeyedProblem {
  Problem problem;
  std::string split_key;
};

// Problem `index` of `split`: the first of `draw`'s candidates that lies in it. A key is held out
// when its hash, keyed by task_seed, falls below eval_share; the rule knows nothing else of the
// task. With an eval_share of 0 nothing is held out: both splits draw from all problems, at
// ordinals of their own. `draw` is a pure function of its argument and leaves Problem::index alone.
// A pure function of its arguments; throws Error(kConfig) after 100,000 candidates of the other
// split.
Problem DrawOfSplit(const TaskConfig& config, Split split, uint64_t seed, uint64_t index,
                    const std::function<KeyedProblem(const RandomStream&)>& draw);

}  // namespace ponder
