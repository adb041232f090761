#include "cli/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "cli/report/scale.h"
#include "cli/report/stage_panels.h"
#include "core/config/experiment.h"

namespace ponder::report {
namespace {

constexpr const char* kNone = "\u2013";

double SumOf(const StageData& stage, const std::string& metric) {
  const auto found = stage.timing.find(metric);
  if (found == stage.timing.end()) return 0;
  double sum = 0;
  for (const double value : found->second.value) {
    if (std::isfinite(value)) sum += value;
  }
  return sum;
}

// "99.1 % [98.9, 99.4]", or a dash when the evaluation has no such share.
std::string Share(const EvaluationPoint* point, const std::string& name) {
  if (point == nullptr) return kNone;
  const auto value = point->values.find(name);
  if (value == point->values.end()) return kNone;
  const auto low = point->values.find(name + "_low");
  const auto high = point->values.find(name + "_high");
  std::string text = fmt::format("{:.1f} %", 100 * value->second);
  if (low != point->values.end() && high != point->values.end()) {
    text += fmt::format(" [{:.1f}, {:.1f}]", 100 * low->second, 100 * high->second);
  }
  return text;
}

std::string ValueOf(const EvaluationPoint& point, const std::string& name) {
  const auto found = point.values.find(name);
  return found == point.values.end() ? kNone : ShortNumber(found->second);
}

// Classes of keys as the reader of experiments calls them.
const char* ClassName(KeyClass key_class) {
  switch (key_class) {
    case KeyClass::kExact:
      return "exact";
    case KeyClass::kSoft:
      return "soft";
    case KeyClass::kFree:
      return "free";
  }
  return "";
}

}  // namespace

DataTable StageResults(const RunData& run) {
  DataTable table{.headers = {"stage", "algorithm", "steps", "evaluation", "prompts",
                              "sampled before", "sampled after", "greedy before", "greedy after"},
                  .rows = {}};
  std::map<std::string, const EvaluationPoint*> before;
  for (const StageData& stage : run.stages) {
    const std::vector<std::string> head{stage.name,
                                        stage.algorithm.empty() ? kNone : stage.algorithm,
                                        std::to_string(stage.num_steps)};
    bool any = false;
    for (const auto& [set, points] : stage.evaluations) {
      for (const EvaluationPoint& point : points) {
        if (!point.at_stage_end) continue;
        const EvaluationPoint* previous = before[set];
        std::vector<std::string> row = head;
        row.insert(row.end(), {set, ValueOf(point, "val/prompts"), Share(previous, "val/sampled"),
                               Share(&point, "val/sampled"), Share(previous, "val/greedy"),
                               Share(&point, "val/greedy")});
        table.rows.push_back(std::move(row));
        before[set] = &point;
        any = true;
      }
    }
    if (any) continue;
    std::vector<std::string> row = head;
    row.resize(table.headers.size(), kNone);
    table.rows.push_back(std::move(row));
  }
  return table;
}

DataTable TimeTotals(const RunData& run) {
  static constexpr std::pair<const char*, const char*> kRows[] = {
      {"steps", "timing/step_s"},
      {"  waiting for samples", "timing/collect_s"},
      {"  old log-probs", "timing/annotate_s"},
      {"  building examples", "timing/build_s"},
      {"  forward, backward", "timing/forward_backward_s"},
      {"  optimizer", "timing/optimizer_s"},
      {"  validating", "timing/validate_s"},
      {"  publishing", "timing/publish_s"},
  };
  DataTable table{.headers = {"seconds"}, .rows = {}};
  for (const StageData& stage : run.stages) table.headers.push_back(stage.name);
  table.headers.emplace_back("all");
  const auto add = [&](const std::string& name, const auto& seconds_of) {
    std::vector<std::string> row{name};
    double total = 0;
    for (const StageData& stage : run.stages) {
      total += seconds_of(stage);
      row.push_back(fmt::format("{:.1f}", seconds_of(stage)));
    }
    row.push_back(fmt::format("{:.1f}", total));
    table.rows.push_back(std::move(row));
  };
  for (const auto& [name, metric] : kRows) {
    add(name, [metric = metric](const StageData& stage) { return SumOf(stage, metric); });
  }
  add("evaluations", [](const StageData& stage) { return stage.evaluate_s; });
  add("saves", [](const StageData& stage) { return stage.checkpoint_s; });
  return table;
}

DataTable ConfigDifferences(const std::vector<RunData>& runs) {
  DataTable table{.headers = {"key", "class"}, .rows = {}};
  for (const std::string& label : RunLabels(runs)) table.headers.push_back(label);
  if (!runs.front().config) return table;
  std::map<std::string, size_t> row_of;
  for (size_t run = 1; run < runs.size(); ++run) {
    if (!runs[run].config) continue;
    for (const KeyDifference& difference :
         CompareExperiments(*runs.front().config, *runs[run].config)) {
      const auto [row, is_new] = row_of.emplace(difference.key, table.rows.size());
      if (is_new) {
        // Runs that do not differ have the first one's value.
        std::vector<std::string> cells{difference.key, ClassName(difference.key_class)};
        for (const RunData& other : runs) cells.push_back(other.config ? difference.before : kNone);
        table.rows.push_back(std::move(cells));
      }
      table.rows[row->second][2 + run] = difference.after;
    }
  }
  return table;
}

std::string DurationText(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  if (total >= 3600)
    return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  return fmt::format("{}:{:02}", total / 60, total % 60);
}

double TotalSeconds(const RunData& run) {
  return std::accumulate(
      run.stages.begin(), run.stages.end(), 0.0, [](double sum, const StageData& stage) {
        return sum + SumOf(stage, "timing/step_s") + stage.evaluate_s + stage.checkpoint_s;
      });
}

}  // namespace ponder::report
