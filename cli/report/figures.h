// Which figures a report has.
#pragma once

#include <vector>

#include "cli/report/figure.h"
#include "cli/report/run_data.h"

namespace ponder::report {

// Right answers over all stages; then one section per algorithm with its metrics, the known ones
// first and every other one after them; then time and memory. Ids are unique.
std::vector<ReportSection> MakeFigures(const std::vector<RunData>& runs);

// Time per phase, stacked, one figure per run. `id` begins each figure's id.
std::vector<Figure> MakePhaseFigures(const std::vector<RunData>& runs,
                                     const std::vector<std::string>& stages, const std::string& id);

// How the lengths of responses are distributed over steps, one figure per run that has them.
std::vector<Figure> MakeLengthFigures(const std::vector<RunData>& runs,
                                      const std::vector<std::string>& stages,
                                      const std::string& id);

}  // namespace ponder::report
