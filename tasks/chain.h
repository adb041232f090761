// CHAIN-p: chained arithmetic modulo a prime, with exact and sloppy demonstrators.
#pragma once

#include <memory>

#include "tasks/task.h"

namespace ponder {

std::unique_ptr<Task> MakeChainTask(const TaskConfig& config);

}  // namespace ponder
