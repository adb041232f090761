// A figure of some metrics over the steps of some stages, of one run or several.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report/figure.h"
#include "cli/report/line_chart.h"
#include "cli/report/run_data.h"

namespace ponder::report {

struct CurveSpec {
  std::string id;
  std::string title{};
  std::vector<std::string> metrics{};      // of steps, by their names in the metric table
  std::vector<std::string> evaluations{};  // such as val/sampled: every evaluation set is shown
  std::string low{};                       // metrics of a band around the first one
  std::string high{};
  bool may_be_log = false;
  std::optional<Domain> fixed_y{};
  double width = 360;
  double height = 210;
};

// The stages without any of the metrics are left out. Nothing when none is left, or when no value
// differs from another: a flat line says less than its number.
std::optional<Figure> MakeCurveFigure(const std::vector<RunData>& runs,
                                      const std::vector<std::string>& stages,
                                      const CurveSpec& spec);

// Whether all finite values of a metric over the stages of all runs are equal to `*value`. False
// when there are none.
bool IsConstant(const std::vector<RunData>& runs, const std::vector<std::string>& stages,
                const std::string& metric, double* value);

// Series of a step metric in either file; null when the stage has none.
const Series* FindSeries(const StageData& stage, const std::string& metric);

}  // namespace ponder::report
