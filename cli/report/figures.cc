#include "cli/report/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/report/curve_figure.h"
#include "cli/report/metric_title.h"
#include "cli/report/stage_panels.h"

namespace ponder::report {
namespace {

// Figures of an algorithm's metrics in the order of the page. What a stage does not have is left
// out, and metrics that no row names follow by themselves. Without a title a figure has that of its
// first metric.
std::vector<CurveSpec> KnownFigures() {
  return {
      {.id = "reward", .metrics = {"reward/mean"}},
      {.id = "accuracy", .metrics = {"reward/accuracy"}, .evaluations = {"val/sampled"}},
      {.id = "length",
       .metrics = {"response_length/mean"},
       .low = "response_length/min",
       .high = "response_length/max"},
      {.id = "loss", .metrics = {"actor/loss"}, .may_be_log = true},
      {.id = "entropy", .metrics = {"actor/entropy"}, .may_be_log = true},
      {.id = "kl", .metrics = {"actor/approx_kl"}},
      {.id = "grad_norm", .metrics = {"actor/grad_norm"}, .may_be_log = true},
      {.id = "logprob_diff_mean",
       .metrics = {"train_rollout/logprob_diff_mean"},
       .may_be_log = true},
      {.id = "logprob_diff_max", .metrics = {"train_rollout/logprob_diff_max"}, .may_be_log = true},
      {.id = "clip_frac",
       .title = "Clipped ratios",
       .metrics = {"actor/clip_frac_low", "actor/clip_frac_high"}},
      {.id = "zero_variance", .metrics = {"reward/zero_variance_groups"}},
      {.id = "clip_ratio", .metrics = {"response_length/clip_ratio"}},
      {.id = "staleness", .metrics = {"staleness/mean", "staleness/max"}},
      {.id = "learning_rate", .metrics = {"actor/learning_rate"}},
  };
}

// Metrics that other figures show already, or that say nothing over steps.
bool IsShownElsewhere(const std::string& metric) {
  static const std::set<std::string> kElsewhere{"actor/clip_frac", "response_length/histogram_bin",
                                                "val/greedy", "val/prompts"};
  return kElsewhere.contains(metric);
}

// Names of step metrics in the stages; of metrics.jsonl, or those of timing.jsonl that begin with
// `timing_prefix`.
std::set<std::string> MetricNames(const std::vector<RunData>& runs,
                                  const std::vector<std::string>& stages, bool of_timing) {
  std::set<std::string> names;
  for (const RunData& run : runs) {
    for (const std::string& name : stages) {
      const StageData* stage = FindStage(run, name);
      if (stage == nullptr) continue;
      for (const auto& [metric, series] : of_timing ? stage->timing : stage->metrics) {
        names.insert(metric);
      }
    }
  }
  return names;
}

// Names of evaluation metrics, without the ends of intervals.
std::set<std::string> EvaluationNames(const std::vector<RunData>& runs,
                                      const std::vector<std::string>& stages) {
  std::set<std::string> names;
  for (const RunData& run : runs) {
    for (const std::string& name : stages) {
      const StageData* stage = FindStage(run, name);
      if (stage == nullptr) continue;
      for (const auto& [set, points] : stage->evaluations) {
        for (const EvaluationPoint& point : points) {
          for (const auto& [metric, value] : point.values) {
            if (!metric.ends_with("_low") && !metric.ends_with("_high")) names.insert(metric);
          }
        }
      }
    }
  }
  return names;
}

// A single point of a stage is in the table of stages already.
bool HasSeveralStepsOfAStage(const Figure& figure) {
  std::set<std::string> stages;
  for (const std::vector<std::string>& row : figure.data.rows) stages.insert(row.front());
  return figure.data.rows.size() > stages.size();
}

void AppendTo(std::vector<Figure>* figures, std::vector<Figure> more) {
  for (Figure& figure : more) figures->push_back(std::move(figure));
}

// "Did not vary: Updates of a step 1, Epoch 0." for the metrics that no figure shows.
std::string ConstantsText(const std::vector<RunData>& runs, const std::vector<std::string>& stages,
                          const std::set<std::string>& metrics) {
  std::string text;
  for (const std::string& metric : metrics) {
    double value = 0;
    if (IsShownElsewhere(metric) || !IsConstant(runs, stages, metric, &value)) continue;
    text += (text.empty() ? "Did not vary: " : ", ") + TitleOf(metric) + " " + ShortNumber(value);
  }
  return text.empty() ? text : text + ".";
}

ReportSection AlgorithmSection(const std::vector<RunData>& runs, const StageGroup& group) {
  ReportSection section;
  for (const std::string& stage : group.stages) {
    section.title += (section.title.empty() ? "" : ", ") + stage;
  }
  const std::string algorithm = group.algorithm.empty() ? "stages" : group.algorithm;
  section.title = algorithm + ": " + section.title;
  const std::set<std::string> metrics = MetricNames(runs, group.stages, /*of_timing=*/false);
  std::set<std::string> shown;
  const auto add = [&](CurveSpec spec) {
    spec.id = Identifier(algorithm + "_" + spec.id);
    if (spec.title.empty()) spec.title = TitleOf(spec.metrics.front());
    shown.insert(spec.metrics.begin(), spec.metrics.end());
    shown.insert(spec.evaluations.begin(), spec.evaluations.end());
    if (auto figure = MakeCurveFigure(runs, group.stages, spec)) {
      if (!HasSeveralStepsOfAStage(*figure)) return;
      shown.insert({spec.low, spec.high});
      section.figures.push_back(std::move(*figure));
    }
  };
  for (const CurveSpec& spec : KnownFigures()) {
    if (spec.id == "loss")
      AppendTo(&section.figures, MakeLengthFigures(runs, group.stages, algorithm));
    add(spec);
  }
  std::vector<std::string> sources;
  for (const std::string& metric : metrics) {
    if (metric.starts_with("reward/source/")) sources.push_back(metric);
  }
  // A single source is the reward itself, up to its weight.
  if (sources.size() > 1) {
    add({.id = "sources", .title = "Reward by source", .metrics = sources});
  }
  shown.insert(sources.begin(), sources.end());
  for (const std::string& metric : metrics) {
    if (shown.contains(metric) || IsShownElsewhere(metric)) continue;
    add({.id = metric, .metrics = {metric}});
  }
  for (const std::string& metric : EvaluationNames(runs, group.stages)) {
    if (shown.contains(metric) || IsShownElsewhere(metric)) continue;
    add({.id = metric, .title = TitleOf(metric), .evaluations = {metric}});
  }
  section.text = ConstantsText(runs, group.stages, metrics);
  return section;
}

std::optional<ReportSection> OverviewSection(const std::vector<RunData>& runs) {
  CurveSpec spec{.id = "overview",
                 .title = "Share of right answers",
                 .metrics = {"reward/accuracy"},
                 .evaluations = runs.size() > 1
                                    ? std::vector<std::string>{"val/sampled"}
                                    : std::vector<std::string>{"val/sampled", "val/greedy"},
                 .fixed_y = Domain{0, 1},
                 .width = 860,
                 .height = 250};
  const std::vector<std::string> stages = AllStages(runs);
  std::optional<Figure> figure = MakeCurveFigure(runs, stages, spec);
  if (!figure) return std::nullopt;
  spec.id = "overview_narrow";
  spec.width = 360;
  spec.height = 260;
  figure->narrow = MakeCurveFigure(runs, stages, spec)->drawing;
  ReportSection section{.title = "What was learned", .text = {}, .figures = {}};
  section.figures.push_back(std::move(*figure));
  return section;
}

ReportSection TimeSection(const std::vector<RunData>& runs) {
  ReportSection section{.title = "Time and memory", .text = {}, .figures = {}};
  for (const StageGroup& group : GroupStages(runs)) {
    AppendTo(&section.figures, MakePhaseFigures(runs, group.stages, group.algorithm));
  }
  const std::vector<std::string> stages = AllStages(runs);
  for (const std::string& metric : MetricNames(runs, stages, /*of_timing=*/true)) {
    if (metric.starts_with("timing/")) continue;
    const CurveSpec spec{.id = Identifier(metric), .title = TitleOf(metric), .metrics = {metric}};
    if (auto figure = MakeCurveFigure(runs, stages, spec))
      section.figures.push_back(std::move(*figure));
  }
  return section;
}

// Names that come from files may map to one identifier.
void MakeIdsUnique(std::vector<ReportSection>* sections) {
  std::set<std::string> ids;
  for (ReportSection& section : *sections) {
    for (Figure& figure : section.figures) {
      std::string id = figure.drawing.id;
      for (int i = 2; !ids.insert(id).second; ++i) id = figure.drawing.id + fmt::format("_{}", i);
      figure.drawing.id = id;
    }
  }
}

}  // namespace

std::vector<ReportSection> MakeFigures(const std::vector<RunData>& runs) {
  std::vector<ReportSection> sections;
  if (auto overview = OverviewSection(runs)) sections.push_back(std::move(*overview));
  std::vector<StageGroup> groups = GroupStages(runs);
  // What comes last is what a reader looks for first.
  std::reverse(groups.begin(), groups.end());
  for (const StageGroup& group : groups) sections.push_back(AlgorithmSection(runs, group));
  sections.push_back(TimeSection(runs));
  MakeIdsUnique(&sections);
  return sections;
}

}  // namespace ponder::report
