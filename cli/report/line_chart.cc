#include "cli/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ponder::report {
namespace {

// Beyond so many in a panel, error bars would cover each other.
constexpr size_t kMaxErrorBars = 40;

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double least_positive = std::numeric_limits<double>::infinity();
  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
    if (value > 0) least_positive = std::min(least_positive, value);
  }
};

Extent ExtentOf(const LineChart& chart) {
  Extent extent;
  for (const ChartPanel& panel : chart.panels) {
    for (const Curve& curve : panel.curves) {
      for (const Series* series : {&curve.series, &curve.low, &curve.high}) {
        for (const double value : series->value) extent.Add(value);
      }
    }
    for (const Points& points : panel.points) {
      for (const IntervalPoint& point : points.points) {
        extent.Add(point.low);
        extent.Add(point.high);
      }
    }
  }
  return extent;
}

bool IsLogarithmic(const LineChart& chart, const Extent& extent) {
  constexpr double kDecades = 1000;
  return chart.may_be_log && extent.low > 0 && extent.high / extent.low >= kDecades;
}

// Points of a polyline from [begin, end) columns.
std::string PointsText(const std::vector<std::pair<double, double>>& points) {
  std::string text;
  for (const auto& [x, y] : points) {
    if (!text.empty()) text += ' ';
    text += Coordinate(x) + "," + Coordinate(y);
  }
  return text;
}

std::string StrokeStyle(const Curve& curve) {
  std::string style = fmt::format("s{}", curve.colour);
  if (curve.dash > 0) style += fmt::format(" d{}", curve.dash);
  return style;
}

// A curve and its band, interrupted where a column has no value.
class CurvePen {
 public:
  CurvePen(const Scale& x, const Scale& y, int colour, std::string stroke, std::string name)
      : x_(x), y_(y), colour_(colour), stroke_(std::move(stroke)), name_(std::move(name)) {}

  void Add(double step, double low, double value, double high) {
    if (!std::isfinite(value)) return Lift();
    line_.emplace_back(x_(step), y_(value));
    low_.emplace_back(x_(step), y_(low));
    high_.emplace_back(x_(step), y_(high));
    has_band_ = has_band_ || low < high;
  }

  std::string Finish() {
    Lift();
    return bands_ + lines_;
  }

 private:
  void Lift() {
    if (line_.size() == 1) {
      lines_ += fmt::format(R"(<circle cx="{}" cy="{}" r="1.5" class="pt f{}"/>)",
                            Coordinate(line_[0].first), Coordinate(line_[0].second), colour_);
    } else if (!line_.empty()) {
      lines_ += fmt::format(R"(<polyline class="ln {}" data-name="{}" points="{}"/>)", stroke_,
                            Escaped(name_), PointsText(line_));
    }
    if (has_band_) {
      high_.insert(high_.end(), low_.rbegin(), low_.rend());
      bands_ += fmt::format(R"(<polygon class="en f{}" points="{}"/>)", colour_, PointsText(high_));
    }
    line_.clear();
    low_.clear();
    high_.clear();
    has_band_ = false;
  }

  const Scale& x_;
  const Scale& y_;
  const int colour_;
  const std::string stroke_;
  const std::string name_;
  std::vector<std::pair<double, double>> line_;
  std::vector<std::pair<double, double>> low_;
  std::vector<std::pair<double, double>> high_;
  bool has_band_ = false;
  std::string lines_;
  std::string bands_;
};

size_t ColumnsOf(const Scale& x) { return static_cast<size_t>(std::max(1.0, x.end - x.begin)); }

std::string DrawCurve(const Curve& curve, const PanelSpan& span, const Scale& x, const Scale& y) {
  CurvePen pen(x, y, curve.colour, StrokeStyle(curve), curve.name);
  const auto columns = [&](const Series& series) {
    return Envelope(series, span.first_step, span.last_step, ColumnsOf(x));
  };
  const std::vector<Column> means = columns(curve.series);
  // A band of its own takes the place of the one that reducing leaves.
  const std::vector<Column> lows = columns(curve.low);
  const std::vector<Column> highs = columns(curve.high);
  const bool has_band = lows.size() == means.size() && highs.size() == means.size();
  for (size_t i = 0; i < means.size(); ++i) {
    pen.Add(means[i].step, has_band ? lows[i].low : means[i].low, means[i].mean,
            has_band ? highs[i].high : means[i].high);
  }
  return pen.Finish();
}

std::string PointTitle(const std::string& name, const IntervalPoint& point) {
  std::string text = fmt::format("{}, step {:g}: {}", name, point.step, ShortNumber(point.value));
  if (point.low < point.high) {
    text += fmt::format(" [{}, {}]", ShortNumber(point.low), ShortNumber(point.high));
  }
  return text;
}

std::string DrawErrorBars(const Points& points, const Scale& x, const Scale& y) {
  std::string text;
  for (const IntervalPoint& point : points.points) {
    if (!std::isfinite(point.value)) continue;
    constexpr double kBeside = 4;
    const double at = x(point.step) - kBeside * points.rank;
    text += "<g><title>" + Escaped(PointTitle(points.name, point)) + "</title>";
    if (point.low < point.high) {
      text += Line(at, y(point.low), at, y(point.high), fmt::format("eb s{}", points.colour));
    }
    text += fmt::format(R"(<circle cx="{}" cy="{}" r="2.5" class="pt f{}"/></g>)", Coordinate(at),
                        Coordinate(y(point.value)), points.colour);
  }
  return text;
}

// Many evaluations become a curve within the band of their intervals.
std::string DrawPoints(const Points& points, const PanelSpan& span, const Scale& x,
                       const Scale& y) {
  if (points.points.size() <= kMaxErrorBars) return DrawErrorBars(points, x, y);
  Curve curve;
  curve.name = points.name;
  curve.colour = points.colour;
  for (const IntervalPoint& point : points.points) {
    curve.series.step.push_back(point.step);
    curve.series.value.push_back(point.value);
    curve.low.step.push_back(point.step);
    curve.low.value.push_back(point.low);
    curve.high.step.push_back(point.step);
    curve.high.value.push_back(point.high);
  }
  return DrawCurve(curve, span, x, y);
}

FrameOptions FrameOf(const LineChart& chart) {
  const Extent extent = ExtentOf(chart);
  FrameOptions options;
  options.width = chart.width;
  options.height = chart.height;
  options.title = chart.title;
  options.remark = chart.remark;
  options.legend = chart.legend;
  for (const ChartPanel& panel : chart.panels) options.panels.push_back(panel.span);
  if (extent.low <= extent.high) options.y = {extent.low, extent.high};
  options.log_y = IsLogarithmic(chart, extent);
  if (chart.fixed_y) {
    options.y = *chart.fixed_y;
    options.whole_y = true;
  }
  return options;
}

}  // namespace

bool IsLogarithmic(const LineChart& chart) { return IsLogarithmic(chart, ExtentOf(chart)); }

bool IsReduced(const LineChart& chart) {
  const Frame frame(FrameOf(chart));
  for (size_t i = 0; i < chart.panels.size(); ++i) {
    for (const Curve& curve : chart.panels[i].curves) {
      if (curve.series.size() > ColumnsOf(frame.x(i))) return true;
    }
  }
  return false;
}

Drawing Draw(const LineChart& chart) {
  const Frame frame(FrameOf(chart));
  Drawing drawing{.id = chart.id,
                  .title = chart.title,
                  .description = chart.description,
                  .width = chart.width,
                  .height = chart.height,
                  .body = frame.Background()};
  for (size_t i = 0; i < chart.panels.size(); ++i) {
    const ChartPanel& panel = chart.panels[i];
    drawing.body += frame.OpenPanel(i);
    for (const Curve& curve : panel.curves) {
      drawing.body += DrawCurve(curve, panel.span, frame.x(i), frame.y());
    }
    for (const Points& points : panel.points) {
      drawing.body += DrawPoints(points, panel.span, frame.x(i), frame.y());
    }
    drawing.body += "</g>";
  }
  return drawing;
}

}  // namespace ponder::report
