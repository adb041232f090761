// The conversations of a group's rows with the task of its prompt.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rollout/engine/group_decoder.h"
#include "tasks/task.h"

namespace ponder {

// One episode per row; most tasks end it after the first turn. Used by one thread.
class Episodes {
 public:
  // `task` is borrowed.
  Episodes(const Task& task, const Problem& problem, uint32_t num_rows);
  // Borrows this object.
  TurnCallback Turns();

 private:
  const Task& task_;
  std::vector<std::unique_ptr<Episode>> episodes_;
};

}  // namespace ponder
