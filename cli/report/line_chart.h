// Curves over steps with evaluations as points and intervals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report/frame.h"
#include "cli/report/series.h"
#include "cli/report/svg.h"

namespace ponder::report {

struct Curve {
  std::string name;  // for pointer and table
  int colour = 0;    // below kNumColours
  int dash = 0;      // 0, 1 or 2
  Series series;
  // A band around it, over the same steps; empty: none.
  Series low;
  Series high;
};

// A measured share or mean with its 95 % interval; low = high = value where there is none.
struct IntervalPoint {
  double step = 0;
  double value = 0;
  double low = 0;
  double high = 0;
};

struct Points {
  std::string name;
  int colour = 0;
  int rank = 0;  // points of the same step stand beside each other by rank
  std::vector<IntervalPoint> points;
};

struct ChartPanel {
  PanelSpan span;
  std::vector<Curve> curves;
  std::vector<Points> points;
};

struct LineChart {
  std::string id;
  std::string title;
  std::string remark;
  std::string description;
  std::vector<LegendEntry> legend;
  std::vector<ChartPanel> panels;  // at least one
  std::optional<Domain> fixed_y;   // none: as wide as the data
  bool may_be_log = false;         // positive values over three decades get a logarithmic axis
  double width = 360;
  double height = 210;
};

// Curves with more values than the panel has columns are drawn as the mean of each column within
// the band from its least to its largest value.
Drawing Draw(const LineChart& chart);

// Whether Draw reduces a curve, and whether its y axis is logarithmic: what a caption must say.
bool IsReduced(const LineChart& chart);
bool IsLogarithmic(const LineChart& chart);

}  // namespace ponder::report
