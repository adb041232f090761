#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cli/report/figures.h"
#include "cli/report/heat_map.h"
#include "cli/report/stacked_area.h"
#include "cli/report/stage_panels.h"

namespace ponder::report {
namespace {

constexpr size_t kTableRows = 12;  // of a panel
// Columns of a whole heat map: cells are wide enough to be seen, and the file stays small.
constexpr size_t kHeatColumns = 160;

// The phases of a step that do not overlap, and what is left of it.
struct Phase {
  const char* name;
  const char* metric;
};
constexpr Phase kPhases[] = {
    {"waiting for samples", "timing/collect_s"},
    {"old log-probs", "timing/annotate_s"},
    {"forward, backward", "timing/forward_backward_s"},
    {"optimizer", "timing/optimizer_s"},
    {"publishing", "timing/publish_s"},
};
constexpr const char* kRest = "other";
constexpr const char* kWhole = "timing/step_s";

const Series* FindTiming(const StageData& stage, const char* metric) {
  const auto found = stage.timing.find(metric);
  return found == stage.timing.end() ? nullptr : &found->second;
}

// The layers of a stage over the steps of timing/step_s; none when there is no such series.
std::vector<Series> LayersOf(const StageData& stage) {
  const Series* whole = FindTiming(stage, kWhole);
  if (whole == nullptr) return {};
  std::vector<Series> layers;
  std::vector<double> rest = whole->value;
  for (const Phase& phase : kPhases) {
    Series layer{.step = whole->step, .value = std::vector<double>(whole->size(), 0.0)};
    const Series* series = FindTiming(stage, phase.metric);
    // A line lacks a phase or has it like all others: the steps are those of the whole.
    if (series != nullptr && series->step == whole->step) layer.value = series->value;
    for (size_t i = 0; i < rest.size(); ++i) rest[i] -= layer.value[i];
    layers.push_back(std::move(layer));
  }
  for (double& value : rest) value = std::max(0.0, value);
  layers.push_back({.step = whole->step, .value = std::move(rest)});
  return layers;
}

DataTable PhaseTable(const StackedArea& chart) {
  DataTable table{.headers = {"stage", "step"}, .rows = {}};
  for (const std::string& layer : chart.layers) table.headers.push_back(layer + " (s)");
  for (const StackPanel& panel : chart.panels) {
    for (const size_t i : SpreadIndices(panel.layers.front().size(), kTableRows)) {
      std::vector<std::string> row{panel.span.stage,
                                   fmt::format("{:g}", panel.layers.front().step[i])};
      for (const Series& layer : panel.layers) row.push_back(ShortNumber(layer.value[i]));
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

// " of RUN" when there are several.
std::string OfRun(const std::vector<RunData>& runs, size_t run) {
  return runs.size() > 1 ? ", " + RunLabels(runs)[run] : "";
}

std::string IdOf(const std::string& id, const char* what, size_t run) {
  return Identifier(fmt::format("{}_{}_{}", id.empty() ? "stages" : id, what, run + 1));
}

// The bin that `share` of the counts do not exceed, by its upper edge.
double Quantile(const LengthCounts& lengths, double share) {
  const double total = std::accumulate(lengths.counts.begin(), lengths.counts.end(), 0.0);
  double below = 0;
  for (size_t bin = 0; bin < lengths.counts.size(); ++bin) {
    below += lengths.counts[bin];
    if (below >= share * total) return static_cast<double>(bin + 1) * lengths.bin_tokens;
  }
  return 0;
}

void AddQuantiles(const StageData& stage, DataTable* table) {
  for (const size_t i : SpreadIndices(stage.lengths.size(), kTableRows)) {
    const LengthCounts& lengths = stage.lengths[i];
    std::vector<std::string> row{stage.name, fmt::format("{:g}", lengths.step)};
    for (const double share : {0.1, 0.5, 0.9}) row.push_back(ShortNumber(Quantile(lengths, share)));
    table->rows.push_back(std::move(row));
  }
}

HeatPanel HeatPanelOf(const std::vector<RunData>& runs, const StageData& stage) {
  HeatPanel panel{.span = SpanOf(runs, stage.name),
                  .bin_width = stage.lengths.front().bin_tokens,
                  .columns = {}};
  for (const LengthCounts& lengths : stage.lengths) {
    if (lengths.bin_tokens != panel.bin_width) continue;
    panel.columns.push_back({lengths.step, lengths.step, lengths.counts});
  }
  return panel;
}

}  // namespace

std::vector<Figure> MakePhaseFigures(const std::vector<RunData>& runs,
                                     const std::vector<std::string>& stages,
                                     const std::string& id) {
  std::vector<Figure> figures;
  for (size_t run = 0; run < runs.size(); ++run) {
    StackedArea chart;
    chart.id = IdOf(id, "phases", run);
    chart.title = "Time of a step" + OfRun(runs, run);
    chart.remark = "seconds";
    chart.description =
        "Seconds of each step by phase, one upon the other; the upper edge is the whole step. "
        "Where there are more steps than columns, a column shows their mean.";
    for (const Phase& phase : kPhases) chart.layers.emplace_back(phase.name);
    chart.layers.emplace_back(kRest);
    for (const std::string& name : stages) {
      const StageData* stage = FindStage(runs[run], name);
      if (stage == nullptr) continue;
      std::vector<Series> layers = LayersOf(*stage);
      if (!layers.empty()) chart.panels.push_back({SpanOf(runs, name), std::move(layers)});
    }
    if (chart.panels.empty()) continue;
    figures.push_back({.drawing = Draw(chart),
                       .narrow = std::nullopt,
                       .caption = chart.description,
                       .data = PhaseTable(chart)});
  }
  return figures;
}

std::vector<Figure> MakeLengthFigures(const std::vector<RunData>& runs,
                                      const std::vector<std::string>& stages,
                                      const std::string& id) {
  std::vector<Figure> figures;
  for (size_t run = 0; run < runs.size(); ++run) {
    HeatMap map;
    map.id = IdOf(id, "lengths", run);
    map.title = "Distribution of lengths" + OfRun(runs, run);
    map.description =
        "Share of a step's responses by length in tokens: the darker, the more of them. Columns "
        "join steps where there are many.";
    DataTable table{.headers = {"stage", "step", "10 % up to", "half up to", "90 % up to"},
                    .rows = {}};
    for (const std::string& name : stages) {
      const StageData* stage = FindStage(runs[run], name);
      if (stage == nullptr || stage->lengths.empty()) continue;
      map.panels.push_back(HeatPanelOf(runs, *stage));
      AddQuantiles(*stage, &table);
    }
    if (map.panels.empty()) continue;
    for (HeatPanel& panel : map.panels) {
      panel.columns = MergeColumns(panel.columns, panel.span, kHeatColumns / map.panels.size());
    }
    figures.push_back({.drawing = Draw(map),
                       .narrow = std::nullopt,
                       .caption = map.description,
                       .data = std::move(table)});
  }
  return figures;
}

}  // namespace ponder::report
