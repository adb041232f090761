// Which checkpoint is the best one, by one metric of one evaluation.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/config/experiment.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {

// "heldout val/sampled max": what a best checkpoint is the best by.
std::string MeasureOf(const BestConfig& config);

// The value that makes the policy just evaluated better than `best`: the first of equal ones stays
// the best. Nothing when it is not better, when `evaluation` is not the one that decides, or when
// none of its prompts has an answer. A `best` by another measure does not count.
std::optional<double> BetterValue(const BestConfig& config, const std::string& evaluation,
                                  const std::map<std::string, double>& metrics,
                                  const std::optional<BestCheckpoint>& best);

}  // namespace ponder
