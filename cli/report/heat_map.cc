#include "cli/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace ponder::report {
namespace {

double Total(const HeatColumn& column) {
  return std::accumulate(column.counts.begin(), column.counts.end(), 0.0);
}

// The largest share and the highest used edge of all panels.
struct Extent {
  double share = 0;
  double edge = 1;
};

Extent ExtentOf(const HeatMap& map) {
  Extent extent;
  for (const HeatPanel& panel : map.panels) {
    for (const HeatColumn& column : panel.columns) {
      const double total = Total(column);
      for (size_t bin = 0; bin < column.counts.size(); ++bin) {
        if (column.counts[bin] <= 0) continue;
        extent.share = std::max(extent.share, column.counts[bin] / total);
        extent.edge = std::max(extent.edge, static_cast<double>(bin + 1) * panel.bin_width);
      }
    }
  }
  return extent;
}

// One path per level, so that a map of thousands of cells stays small.
class LevelPaths {
 public:
  void Add(int level, double x, double y, double width, double height) {
    paths_[static_cast<size_t>(level)] += "M" + Coordinate(x) + " " + Coordinate(y) + "h" +
                                          Coordinate(width) + "v" + Coordinate(height) + "h" +
                                          Coordinate(-width) + "z";
  }
  std::string Finish() const {
    std::string text;
    for (size_t level = 0; level < paths_.size(); ++level) {
      if (paths_[level].empty()) continue;
      text += fmt::format(R"(<path class="h{}" d="{}"/>)", level + 1, paths_[level]);
    }
    return text;
  }

 private:
  std::array<std::string, kNumHeatLevels> paths_;
};

std::string DrawPanel(const HeatPanel& panel, double largest_share, const Scale& x,
                      const Scale& y) {
  LevelPaths paths;
  // Half a step to either side, within the panel.
  const double half = (x(x.low + 0.5) - x(x.low));
  for (const HeatColumn& column : panel.columns) {
    const double total = Total(column);
    const double left = x(column.first_step) - half;
    const double right = x(column.last_step) + half;
    for (size_t bin = 0; bin < column.counts.size(); ++bin) {
      if (column.counts[bin] <= 0) continue;
      const double share = column.counts[bin] / total / largest_share;
      const int level = std::clamp(static_cast<int>(std::ceil(share * kNumHeatLevels)) - 1, 0,
                                   kNumHeatLevels - 1);
      const double top = y(static_cast<double>(bin + 1) * panel.bin_width);
      const double bottom = y(static_cast<double>(bin) * panel.bin_width);
      paths.Add(level, left, top, std::max(0.4, right - left), bottom - top);
    }
  }
  return paths.Finish();
}

}  // namespace

std::vector<HeatColumn> MergeColumns(const std::vector<HeatColumn>& columns, const PanelSpan& span,
                                     size_t max_columns) {
  if (columns.size() <= max_columns) return columns;
  const double width = (span.last_step - span.first_step + 1) / static_cast<double>(max_columns);
  std::vector<HeatColumn> merged;
  double current = -1;
  for (const HeatColumn& column : columns) {
    const double index = std::floor((column.first_step - span.first_step) / width);
    if (merged.empty() || index != current) {
      merged.push_back(column);
      current = index;
      continue;
    }
    HeatColumn& into = merged.back();
    into.last_step = column.last_step;
    into.counts.resize(std::max(into.counts.size(), column.counts.size()), 0.0);
    for (size_t bin = 0; bin < column.counts.size(); ++bin) into.counts[bin] += column.counts[bin];
  }
  return merged;
}

Drawing Draw(const HeatMap& map) {
  const Extent extent = ExtentOf(map);
  FrameOptions options;
  options.width = map.width;
  options.height = map.height;
  options.title = map.title;
  options.remark = "tokens";
  for (const double share : {0.25, 0.5, 1.0}) {
    const int level = static_cast<int>(std::ceil(share * kNumHeatLevels));
    options.legend.push_back({fmt::format("{:.0f} %", 100 * share * extent.share),
                              fmt::format("h{}", level), LegendEntry::Swatch::kArea});
  }
  for (const HeatPanel& panel : map.panels) options.panels.push_back(panel.span);
  options.y = {0, extent.edge};
  options.whole_y = true;
  const Frame frame(options);
  Drawing drawing{.id = map.id,
                  .title = map.title,
                  .description = map.description,
                  .width = map.width,
                  .height = map.height,
                  .body = frame.Background()};
  for (size_t i = 0; i < map.panels.size(); ++i) {
    drawing.body +=
        frame.OpenPanel(i) + DrawPanel(map.panels[i], extent.share, frame.x(i), frame.y()) + "</g>";
  }
  return drawing;
}

}  // namespace ponder::report
