// Parts of a whole over steps, one upon the other.
#pragma once

#include <string>
#include <vector>

#include "cli/report/frame.h"
#include "cli/report/series.h"
#include "cli/report/svg.h"

namespace ponder::report {

struct StackPanel {
  PanelSpan span;
  std::vector<Series> layers;  // from the bottom, all over the same steps; values >= 0
};

struct StackedArea {
  std::string id;
  std::string title;
  std::string remark;
  std::string description;
  std::vector<std::string> layers;  // names, from the bottom
  std::vector<StackPanel> panels;
  double width = 360;
  double height = 230;
};

// Where a panel has more steps than columns, a layer has the mean of each column: the area under it
// stays the sum over all steps.
Drawing Draw(const StackedArea& chart);

}  // namespace ponder::report
