// The tables of a report.
#pragma once

#include <vector>

#include "cli/report/figure.h"
#include "cli/report/run_data.h"

namespace ponder::report {

// The evaluations at the end of each stage beside those before it, with 95 % intervals.
DataTable StageResults(const RunData& run);

// Seconds of all steps of each stage by phase, of evaluations and of saves.
DataTable TimeTotals(const RunData& run);

// Keys whose values differ between the first run and any other; runs whose configuration could not
// be read show a dash.
DataTable ConfigDifferences(const std::vector<RunData>& runs);

// "12:34" or "1:02:03".
std::string DurationText(double seconds);
// Seconds of all steps, evaluations and saves.
double TotalSeconds(const RunData& run);

}  // namespace ponder::report
