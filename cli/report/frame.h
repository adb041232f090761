// What all figures share: one panel per stage beside the other, axes, title, legend.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/report/scale.h"

namespace ponder::report {

// A stage on the x axis. Steps count in the stage; every panel has the same width, because a stage
// of 60 steps may matter more than one of 2000.
struct PanelSpan {
  std::string stage;
  double first_step = 1;
  double last_step = 1;
};

struct LegendEntry {
  enum class Swatch { kLine, kPoint, kArea };
  std::string name;
  std::string style;  // classes: "s0 d1", "f2"
  Swatch swatch = Swatch::kLine;
};

struct FrameOptions {
  double width = 360;
  double height = 210;
  std::string title;
  std::string remark;  // to the right of the title: a last value, a unit
  std::vector<LegendEntry> legend;
  std::vector<PanelSpan> panels;
  Domain y;
  bool log_y = false;
  bool whole_y = false;  // y begins and ends at the domain as given; otherwise at round values
};

class Frame {
 public:
  explicit Frame(const FrameOptions& options);

  size_t num_panels() const { return x_.size(); }
  const Scale& x(size_t panel) const { return x_[panel]; }
  const Scale& y() const { return y_; }
  // Width of a panel in units of the drawing.
  double width(size_t panel) const { return x_[panel].end - x_[panel].begin; }
  // Shaded and named panels, grid, axes, title, legend; drawn before the data.
  std::string Background() const;
  // <g> of a panel with its scales as data, from which a pointer's place becomes a value.
  std::string OpenPanel(size_t panel) const;

 private:
  void LayOutLegend();
  std::string Legend() const;
  std::string HorizontalGrid() const;
  std::string VerticalAxis(size_t panel) const;

  const FrameOptions options_;
  std::vector<Scale> x_;
  Scale y_;
  std::vector<Tick> y_ticks_;
  double plot_top_ = 0;
  double plot_bottom_ = 0;
  std::vector<double> legend_x_;
  std::vector<double> legend_y_;
};

}  // namespace ponder::report
