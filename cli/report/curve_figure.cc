#include "cli/report/curve_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/report/stage_panels.h"
#include "core/base/metrics.h"

namespace ponder::report {
namespace {

constexpr size_t kTableRows = 12;  // of a panel

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// "held-out accuracy of set 'final', sampled": how a legend calls an evaluation.
std::string PointsName(const CurveSpec& spec, const std::string& set, const std::string& metric) {
  return spec.evaluations.size() > 1 ? set + ", " + LastPart(metric) : set + " (evaluation)";
}

IntervalPoint PointOf(const EvaluationPoint& evaluation, const std::string& metric) {
  const auto value_of = [&evaluation](const std::string& name, double otherwise) {
    const auto found = evaluation.values.find(name);
    return found == evaluation.values.end() ? otherwise : found->second;
  };
  const double value = value_of(metric, std::nan(""));
  return {.step = evaluation.step,
          .value = value,
          .low = value_of(metric + "_low", value),
          .high = value_of(metric + "_high", value)};
}

// Gathers the curves of a chart and how the legend calls them.
class ChartMaker {
 public:
  ChartMaker(const std::vector<RunData>& runs, const CurveSpec& spec)
      : runs_(runs), spec_(spec), labels_(RunLabels(runs)), several_(runs.size() > 1) {}

  ChartPanel PanelOf(const std::string& stage) {
    ChartPanel panel{.span = SpanOf(runs_, stage), .curves = {}, .points = {}};
    for (size_t run = 0; run < runs_.size(); ++run) {
      const StageData* data = FindStage(runs_[run], stage);
      if (data == nullptr) continue;
      for (size_t i = 0; i < spec_.metrics.size(); ++i) AddCurve(run, i, *data, &panel);
      AddPoints(run, *data, &panel);
    }
    return panel;
  }

  // Entries in the order of runs and metrics; none when there is only one.
  std::vector<LegendEntry> Legend() const {
    if (!several_ && entries_.size() == 1) return {};
    if (!several_) {
      // Curves before points, whichever stage had them first.
      std::vector<LegendEntry> legend = entries_;
      std::stable_partition(legend.begin(), legend.end(), [](const LegendEntry& entry) {
        return entry.swatch == LegendEntry::Swatch::kLine;
      });
      return legend;
    }
    std::vector<LegendEntry> legend;
    for (size_t run = 0; run < runs_.size(); ++run) {
      if (!shown_runs_.contains(run)) continue;
      legend.push_back(
          {labels_[run], StyleOf(ColourOf(run, 0), DashOf(run, 0)), LegendEntry::Swatch::kLine});
    }
    for (size_t i = 0; spec_.metrics.size() > 1 && i < spec_.metrics.size(); ++i) {
      legend.push_back({LastPart(spec_.metrics[i]),
                        StyleOf(kNumColours - 1, static_cast<int>(i % 3)),
                        LegendEntry::Swatch::kLine});
    }
    return legend;
  }

 private:
  static std::string StyleOf(int colour, int dash) {
    return dash > 0 ? fmt::format("s{} d{}", colour, dash) : fmt::format("s{}", colour);
  }
  // One run: a colour for each metric. Several: a colour for each run, a dash for each metric.
  int ColourOf(size_t run, size_t metric) const {
    return static_cast<int>((several_ ? run : metric) % kNumColours);
  }
  int DashOf(size_t run, size_t metric) const {
    return static_cast<int>((several_ && spec_.metrics.size() > 1 ? metric
                             : several_                           ? run / kNumColours
                                                                  : metric / kNumColours) %
                            3);
  }

  void AddCurve(size_t run, size_t metric, const StageData& stage, ChartPanel* panel) {
    const Series* series = FindSeries(stage, spec_.metrics[metric]);
    if (series == nullptr) return;
    Curve curve;
    curve.name = spec_.metrics.size() > 1 || !several_ ? LastPart(spec_.metrics[metric]) : "";
    if (several_) curve.name = labels_[run] + (curve.name.empty() ? "" : " " + curve.name);
    curve.colour = ColourOf(run, metric);
    curve.dash = DashOf(run, metric);
    curve.series = *series;
    const Series* low = FindSeries(stage, spec_.low);
    const Series* high = FindSeries(stage, spec_.high);
    if (metric == 0 && !several_ && low != nullptr && high != nullptr) {
      curve.low = *low;
      curve.high = *high;
    }
    Remember(run, {spec_.evaluations.empty() ? curve.name : curve.name + " (training)",
                   StyleOf(curve.colour, curve.dash), LegendEntry::Swatch::kLine});
    panel->curves.push_back(std::move(curve));
  }

  void AddPoints(size_t run, const StageData& stage, ChartPanel* panel) {
    for (const auto& [set, evaluations] : stage.evaluations) {
      for (const std::string& metric : spec_.evaluations) {
        Points points;
        points.name = PointsName(spec_, set, metric);
        for (const EvaluationPoint& evaluation : evaluations) {
          const IntervalPoint point = PointOf(evaluation, metric);
          if (std::isfinite(point.value)) points.points.push_back(point);
        }
        if (points.points.empty()) continue;
        const auto known = std::find(point_names_.begin(), point_names_.end(), points.name);
        const auto index = static_cast<size_t>(known - point_names_.begin());
        if (known == point_names_.end()) point_names_.push_back(points.name);
        points.rank = static_cast<int>(index);
        points.colour = several_ ? ColourOf(run, 0) : ColourOf(0, spec_.metrics.size() + index);
        Remember(run,
                 {points.name, fmt::format("f{}", points.colour), LegendEntry::Swatch::kPoint});
        if (several_) points.name = labels_[run] + ", " + points.name;
        panel->points.push_back(std::move(points));
      }
    }
  }

  void Remember(size_t run, const LegendEntry& entry) {
    shown_runs_.insert(run);
    const bool known = std::any_of(entries_.begin(), entries_.end(),
                                   [&entry](const LegendEntry& e) { return e.name == entry.name; });
    if (!known) entries_.push_back(entry);
  }

  const std::vector<RunData>& runs_;
  const CurveSpec& spec_;
  const std::vector<std::string> labels_;
  const bool several_;
  std::vector<LegendEntry> entries_;
  std::set<size_t> shown_runs_;
  std::vector<std::string> point_names_;
};

// Whether any two finite values of a chart differ.
bool Varies(const LineChart& chart) {
  std::optional<double> first;
  bool varies = false;
  const auto look_at = [&](double value) {
    if (!std::isfinite(value)) return;
    varies = varies || (first && value != *first);
    first = value;
  };
  for (const ChartPanel& panel : chart.panels) {
    for (const Points& points : panel.points) {
      for (const IntervalPoint& point : points.points) look_at(point.value);
    }
    for (const Curve& curve : panel.curves) {
      for (const double value : curve.series.value) look_at(value);
    }
  }
  return varies;
}

// The meanings of the metrics from the one table of them.
std::string Meaning(const CurveSpec& spec) {
  std::string text;
  for (const auto* names : {&spec.metrics, &spec.evaluations}) {
    for (const std::string& name : *names) {
      for (const MetricRow& row : MetricTable()) {
        const bool family =
            row.name.ends_with('*') && name.starts_with(row.name.substr(0, row.name.size() - 1));
        if (row.name != name && !family) continue;
        text += (text.empty() ? "" : "; ") + name + ": " + std::string(row.meaning);
        if (row.unit != "1") text += " (" + std::string(row.unit) + ")";
      }
    }
  }
  return text;
}

std::string CaptionOf(const CurveSpec& spec, const LineChart& chart) {
  std::string text = Meaning(spec);
  text += text.empty() ? "" : ".";
  const bool has_points =
      std::any_of(chart.panels.begin(), chart.panels.end(),
                  [](const ChartPanel& panel) { return !panel.points.empty(); });
  if (has_points) text += " Points are evaluations, bars their 95 % intervals.";
  const bool has_band =
      std::any_of(chart.panels.begin(), chart.panels.end(), [](const ChartPanel& p) {
        return std::any_of(p.curves.begin(), p.curves.end(),
                           [](const Curve& c) { return !c.low.empty(); });
      });
  if (has_band) text += " The band reaches from " + spec.low + " to " + spec.high + ".";
  if (IsReduced(chart)) {
    text += " More steps than columns: the line is the mean of each column";
    text += has_band ? "." : ", the band reaches from its least to its largest value.";
  }
  if (IsLogarithmic(chart)) text += " Logarithmic axis.";
  return text;
}

std::string CellAt(const Curve& curve, double step) {
  const auto found = std::lower_bound(curve.series.step.begin(), curve.series.step.end(), step);
  if (found == curve.series.step.end() || *found != step) return "";
  return ShortNumber(curve.series.value[static_cast<size_t>(found - curve.series.step.begin())]);
}

std::string CellAt(const Points& points, double step) {
  for (const IntervalPoint& point : points.points) {
    if (point.step != step) continue;
    std::string value = ShortNumber(point.value);
    if (point.low == point.high) return value;
    return value + " [" + ShortNumber(point.low) + ", " + ShortNumber(point.high) + "]";
  }
  return "";
}

// Evenly spread steps of the curves and of the points of a panel.
std::set<double> TableSteps(const ChartPanel& panel) {
  std::set<double> steps;
  for (const Curve& curve : panel.curves) {
    for (const size_t i : SpreadIndices(curve.series.size(), kTableRows)) {
      steps.insert(curve.series.step[i]);
    }
  }
  for (const Points& points : panel.points) {
    for (const size_t i : SpreadIndices(points.points.size(), kTableRows)) {
      steps.insert(points.points[i].step);
    }
  }
  return steps;
}

DataTable TableOf(const LineChart& chart) {
  std::vector<std::string> names;
  const auto remember = [&names](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const ChartPanel& panel : chart.panels) {
    for (const Curve& curve : panel.curves) remember(curve.name);
    for (const Points& points : panel.points) remember(points.name);
  }
  DataTable table{.headers = {"stage", "step"}, .rows = {}};
  table.headers.insert(table.headers.end(), names.begin(), names.end());
  for (const ChartPanel& panel : chart.panels) {
    for (const double step : TableSteps(panel)) {
      std::vector<std::string> row(table.headers.size());
      row[0] = panel.span.stage;
      row[1] = fmt::format("{:g}", step);
      const auto cell = [&](const std::string& name) -> std::string& {
        return row[2 + static_cast<size_t>(std::find(names.begin(), names.end(), name) -
                                           names.begin())];
      };
      for (const Curve& curve : panel.curves) cell(curve.name) = CellAt(curve, step);
      for (const Points& points : panel.points) cell(points.name) = CellAt(points, step);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace

const Series* FindSeries(const StageData& stage, const std::string& metric) {
  for (const auto* all : {&stage.metrics, &stage.timing}) {
    if (const auto found = all->find(metric); found != all->end()) return &found->second;
  }
  return nullptr;
}

bool IsConstant(const std::vector<RunData>& runs, const std::vector<std::string>& stages,
                const std::string& metric, double* value) {
  bool any = false;
  for (const RunData& run : runs) {
    for (const std::string& name : stages) {
      const StageData* stage = FindStage(run, name);
      const Series* series = stage == nullptr ? nullptr : FindSeries(*stage, metric);
      if (series == nullptr) continue;
      for (const double v : series->value) {
        if (!std::isfinite(v)) continue;
        if (any && v != *value) return false;
        *value = v;
        any = true;
      }
    }
  }
  return any;
}

std::optional<Figure> MakeCurveFigure(const std::vector<RunData>& runs,
                                      const std::vector<std::string>& stages,
                                      const CurveSpec& spec) {
  LineChart chart{.id = spec.id,
                  .title = spec.title,
                  .remark = {},
                  .description = {},
                  .legend = {},
                  .panels = {},
                  .fixed_y = spec.fixed_y,
                  .may_be_log = spec.may_be_log,
                  .width = spec.width,
                  .height = spec.height};
  ChartMaker maker(runs, spec);
  for (const std::string& stage : stages) {
    ChartPanel panel = maker.PanelOf(stage);
    if (!panel.curves.empty() || !panel.points.empty()) chart.panels.push_back(std::move(panel));
  }
  if (chart.panels.empty() || !Varies(chart)) return std::nullopt;
  chart.legend = maker.Legend();
  const ChartPanel& last = chart.panels.back();
  if (runs.size() == 1 && last.curves.size() == 1 && !last.curves[0].series.empty()) {
    chart.remark = "last " + ShortNumber(last.curves[0].series.value.back());
  }
  chart.description = CaptionOf(spec, chart);
  return Figure{.drawing = Draw(chart),
                .narrow = std::nullopt,
                .caption = chart.description,
                .data = TableOf(chart)};
}

}  // namespace ponder::report
