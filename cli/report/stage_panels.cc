#include "cli/report/stage_panels.h"

#include <algorithm>

namespace ponder::report {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<StageGroup> GroupStages(const std::vector<RunData>& runs) {
  std::vector<StageGroup> groups;
  for (const RunData& run : runs) {
    for (const StageData& stage : run.stages) {
      auto group = std::find_if(
          groups.begin(), groups.end(),
          [&stage](const StageGroup& candidate) { return candidate.algorithm == stage.algorithm; });
      if (group == groups.end()) {
        groups.push_back({.algorithm = stage.algorithm, .stages = {}});
        group = groups.end() - 1;
      }
      if (!Contains(group->stages, stage.name)) group->stages.push_back(stage.name);
    }
  }
  return groups;
}

std::vector<std::string> AllStages(const std::vector<RunData>& runs) {
  std::vector<std::string> names;
  for (const RunData& run : runs) {
    for (const StageData& stage : run.stages) {
      if (!Contains(names, stage.name)) names.push_back(stage.name);
    }
  }
  return names;
}

const StageData* FindStage(const RunData& run, const std::string& name) {
  for (const StageData& stage : run.stages) {
    if (stage.name == name) return &stage;
  }
  return nullptr;
}

PanelSpan SpanOf(const std::vector<RunData>& runs, const std::string& stage) {
  PanelSpan span{.stage = stage, .first_step = 1, .last_step = 1};
  for (const RunData& run : runs) {
    const StageData* data = FindStage(run, stage);
    if (data == nullptr) continue;
    span.last_step = std::max(span.last_step, static_cast<double>(data->num_steps));
    for (const auto& [set, points] : data->evaluations) {
      for (const EvaluationPoint& point : points) {
        span.first_step = std::min(span.first_step, point.step);
        span.last_step = std::max(span.last_step, point.step);
      }
    }
  }
  return span;
}

std::vector<std::string> RunLabels(const std::vector<RunData>& runs) {
  std::vector<std::string> labels;
  for (const RunData& run : runs) {
    const auto same = std::count_if(
        runs.begin(), runs.end(), [&run](const RunData& other) { return other.name == run.name; });
    labels.push_back(same > 1 ? run.folder : run.name);
  }
  return labels;
}

}  // namespace ponder::report
