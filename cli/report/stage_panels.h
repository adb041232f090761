// The stages of several runs beside each other.
#pragma once

#include <string>
#include <vector>

#include "cli/report/frame.h"
#include "cli/report/run_data.h"

namespace ponder::report {

// Stages that one algorithm trains. Figures never mix algorithms: the loss of imitation and the
// loss of a policy gradient are different quantities.
struct StageGroup {
  std::string algorithm;            // empty: unknown
  std::vector<std::string> stages;  // names, in the order in which they first appear
};

std::vector<StageGroup> GroupStages(const std::vector<RunData>& runs);

// Names of all stages in the order in which they first appear.
std::vector<std::string> AllStages(const std::vector<RunData>& runs);

// Null when the run has no such stage.
const StageData* FindStage(const RunData& run, const std::string& name);

// From the first step to the last that any run has.
PanelSpan SpanOf(const std::vector<RunData>& runs, const std::string& stage);

// What to call each run: its name, or its folder where two have the same name.
std::vector<std::string> RunLabels(const std::vector<RunData>& runs);

}  // namespace ponder::report
