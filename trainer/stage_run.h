// What belongs to one stage while it runs.
#pragma once

#include <cstdint>
#include <memory>

#include "trainer/trainer.h"

namespace ponder {

struct Trainer::StageRun {
  const StageConfig& config;
  size_t index = 0;
  uint16_t stream = 0;
  const Task& task;
  Schedule schedule;
  std::unique_ptr<Algorithm> algorithm;
  uint64_t first_version = 0;          // published before step 0 (sampling stages)
  uint64_t version_at_step_start = 0;  // of the step that ran last

  // A stage that only evaluates has none.
  bool has_steps() const { return config.num_steps > 0; }
  // An evaluation with every_steps runs in the stages that it names; without names, in those that
  // sample: for the others every evaluation would cost a publication.
  bool EvaluatesWhileRunning(const EvaluationConfig& evaluation) const;
  // An evaluation at stage_end runs after the stages with steps that it names; without names, after
  // all of those. A stage without steps runs the evaluations that it names itself, or all.
  bool EvaluatesAtEnd(const EvaluationConfig& evaluation) const;
};

}  // namespace ponder
