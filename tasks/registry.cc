// The table of tasks: one line each.
#include <array>

#include "core/base/error.h"
#include "tasks/chain.h"
#include "tasks/countdown.h"
#include "tasks/task.h"

namespace ponder {
namespace {

struct TaskRow {
  std::string_view type;
  std::unique_ptr<Task> (*make)(const TaskConfig& config);
};

constexpr std::array<TaskRow, 2> kTasks{{
    {"chain", MakeChainTask},
    {"countdown", MakeCountdownTask},
}};

}  // namespace

Verification Task::Verify(const Problem& /*problem*/, std::string_view /*response*/) const {
  throw Error(Condition::kInternal,
              "verifying a response: this task's problems have reference answers instead");
}

std::vector<std::string> TaskTypes() {
  std::vector<std::string> types;
  for (const TaskRow& row : kTasks) types.emplace_back(row.type);
  return types;
}

std::unique_ptr<Task> MakeTask(const TaskConfig& config) {
  for (const TaskRow& row : kTasks) {
    if (row.type == config.type) return row.make(config);
  }
  std::string known;
  for (const std::string& type : TaskTypes()) known += (known.empty() ? "" : ", ") + type;
  throw ConfigError("task '" + config.name + "': expected one of the types " + known + ", got '" +
                    config.type + "'");
}

}  // namespace ponder
