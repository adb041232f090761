#include "cli/monitor/render_table.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/base/duration_text.h"

namespace ponder {
namespace {

struct Column {
  const char* head;
  bool is_number;
  int need;  // the column with the highest one goes first where there is no room
  std::function<std::string(const RunView&)> cell;
};

std::string MetricCell(const RunView& run, const char* name) {
  const auto value = run.progress.metrics.find(name);
  return value == run.progress.metrics.end() ? "-" : FormatNumber(value->second);
}

std::vector<Column> AllColumns() {
  return {
      {"run", false, 0, [](const RunView& run) { return FitText(run.name, 24); }},
      {"state", false, 0, [](const RunView& run) { return std::string(NameOf(run.status.state)); }},
      {"stage", false, 1,
       [](const RunView& run) {
         const std::string text = StageText(run.progress);
         return text.empty() ? "-" : FitText(text, 24);
       }},
      {"ETA", true, 2,
       [](const RunView& run) {
         return IsActive(run.status.state) && run.progress.eta_s >= 0
                    ? FormatDuration(run.progress.eta_s)
                    : std::string("-");
       }},
      {"reward", true, 3, [](const RunView& run) { return MetricCell(run, "reward/mean"); }},
      {"saved", true, 4,
       [](const RunView& run) {
         return run.progress.saved_step < 0 ? "-" : std::to_string(run.progress.saved_step);
       }},
      {"processes", true, 5,
       [](const RunView& run) {
         return run.status.processes.empty() ? "-" : ProcessCount(run.status);
       }},
  };
}

}  // namespace

std::vector<std::string> RenderRunTable(const std::vector<RunView>& runs, const TextStyle& style) {
  std::vector<Column> columns = AllColumns();
  const auto width_of = [&](const Column& column) {
    size_t width = DisplayWidth(column.head);
    for (const RunView& run : runs) width = std::max(width, DisplayWidth(column.cell(run)));
    return width;
  };
  const auto total = [&] {
    size_t width = 0;
    for (const Column& column : columns) width += width_of(column) + 2;
    return width - 2;
  };
  while (columns.size() > 2 && total() > style.width) {
    columns.erase(std::max_element(columns.begin(), columns.end(),
                                   [](const auto& a, const auto& b) { return a.need < b.need; }));
  }
  std::vector<StyledLine> lines(1 + runs.size());
  for (const Column& column : columns) {
    const size_t width = width_of(column);
    const auto pad = [&](const std::string& text) {
      return column.is_number ? PadLeft(text, width) : PadRight(text, width);
    };
    const std::string gap = lines[0].empty() ? "" : "  ";
    lines[0].push_back({gap + pad(column.head), TextTone::kDim});
    for (size_t i = 0; i < runs.size(); ++i) {
      const bool is_state = std::string_view(column.head) == "state";
      lines[i + 1].push_back({gap + pad(column.cell(runs[i])),
                              is_state ? ToneOf(runs[i].status.state) : TextTone::kPlain});
    }
  }
  std::vector<std::string> painted;
  for (const StyledLine& line : lines) painted.push_back(Paint(line, style));
  return painted;
}

std::string RunsToJson(const std::vector<RunView>& runs) {
  using nlohmann::json;
  json list = json::array();
  for (const RunView& run : runs) {
    json processes = json::array();
    for (const ProcessStatus& process : run.status.processes) {
      json entry{{"name", process.name},
                 {"state", NameOf(process.state)},
                 {"restarts", process.restarts},
                 {"detail", process.detail}};
      if (const auto usage = run.usage.find(process.name); usage != run.usage.end()) {
        entry["pid"] = process.identity.pid;
        entry["uptime_s"] = usage->second.uptime_s;
        entry["rss_bytes"] = usage->second.resident_bytes;
      }
      processes.push_back(std::move(entry));
    }
    const RunProgress& progress = run.progress;
    json evaluations = json::array();
    for (const EvaluationResult& evaluation : progress.evaluations) {
      json values = evaluation.values;
      values["set"] = evaluation.set;
      values["stage"] = evaluation.stage;
      evaluations.push_back(std::move(values));
    }
    json entry{{"name", run.name},
               {"state", NameOf(run.status.state)},
               {"attempt", run.status.attempt},
               {"exit_code", run.status.exit_code},
               {"message", run.status.message},
               {"elapsed_s", run.elapsed_s},
               {"step", progress.run_step},
               {"saved_step", progress.saved_step},
               {"metrics", progress.metrics},
               {"evaluations", std::move(evaluations)},
               {"processes", std::move(processes)}};
    if (!progress.stages.empty()) {
      const StageTarget& stage = progress.stages.at(progress.current);
      entry["stage"] = {{"name", stage.name},
                        {"number", progress.current + 1},
                        {"of", progress.stages.size()},
                        {"step", progress.StepsDone(progress.current)},
                        {"num_steps", stage.num_steps}};
      if (progress.eta_s >= 0) entry["stage"]["eta_s"] = progress.eta_s;
    }
    list.push_back(std::move(entry));
  }
  const json root{{"format_version", 1}, {"runs", std::move(list)}};
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace ponder
