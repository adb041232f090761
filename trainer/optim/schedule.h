// The learning rate as a function of how many steps of the stage are done.
#pragma once

#include <cstdint>
#include <string>

#include "core/config/experiment.h"

namespace ponder {

// Immutable. Warm-up, then one of:
//   constant  the base rate
//   linear    straight from the base rate to final_ratio times it
//   cosine    half a cosine wave between the same two
// where the decay begins at warmup_steps and ends at decay_steps, both counted from the stage's
// begin, and the rate stays at its end afterwards. The number of steps of the stage plays no part,
// so a longer run has the same beginning.
class Schedule {
 public:
  // Throws ConfigError on an unknown name, negative counts, or a decay that ends before the
  // warm-up.
  Schedule(const ScheduleConfig& config, double base_learning_rate);

  // Of step `step` of the stage, counted from 0, for all updates of it. During warm-up: base *
  // (step + 1) / warmup_steps.
  double LearningRate(int64_t step) const;

 private:
  enum class Shape { kConstant, kLinear, kCosine };
  static Shape ParseShape(const std::string& name);

  Shape shape_;
  int64_t warmup_steps_;
  int64_t decay_steps_;
  double final_ratio_;
  double base_;
};

}  // namespace ponder
