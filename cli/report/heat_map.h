// A distribution over steps: one column of a histogram per step, darker where more falls.
#pragma once

#include <string>
#include <vector>

#include "cli/report/frame.h"
#include "cli/report/svg.h"

namespace ponder::report {

// Steps that share a column; `counts` are added up over them.
struct HeatColumn {
  double first_step = 0;
  double last_step = 0;
  std::vector<double> counts;  // from the lowest bin
};

struct HeatPanel {
  PanelSpan span;
  double bin_width = 1;  // bin i covers i * bin_width .. (i + 1) * bin_width
  std::vector<HeatColumn> columns;
};

struct HeatMap {
  std::string id;
  std::string title;
  std::string description;
  std::vector<HeatPanel> panels;
  double width = 360;
  double height = 210;
};

// A cell shows which share of its column it holds, in kNumHeatLevels levels up to the largest share
// of the map; empty cells are left out.
Drawing Draw(const HeatMap& map);

// Adds up histograms of equal bins into at most `max_columns` columns of equal width over the span.
std::vector<HeatColumn> MergeColumns(const std::vector<HeatColumn>& columns, const PanelSpan& span,
                                     size_t max_columns);

}  // namespace ponder::report
