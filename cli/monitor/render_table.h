// Several runs as a table, and as JSON.
#pragma once

#include <string>
#include <vector>

#include "cli/monitor/render_run.h"

namespace ponder {

// One row a run below a head. Columns that the width has no room for are left out, the least
// telling first. Pure.
std::vector<std::string> RenderRunTable(const std::vector<RunView>& runs, const TextStyle& style);

// {"format_version": 1, "runs": [...]}: all that is known about each run. Pure.
std::string RunsToJson(const std::vector<RunView>& runs);

}  // namespace ponder
