#include "cli/monitor/run_progress.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "cli/monitor/log_text.h"

namespace ponder {
namespace {

using nlohmann::json;

// Some hundred steps of both files.
constexpr size_t kTailBytes = size_t{1} << 17;
constexpr uint64_t kMaxStateBytes = uint64_t{1} << 20;

void ForEachLine(std::string_view text, const std::function<void(const json&)>& body) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const json value = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!value.is_object()) continue;
    try {
      body(value);
    } catch (const json::exception&) {
      // A line of another form than ours says nothing about the progress.
    }
  }
}

// The metrics of a line: what has a name with a slash. A value that was not finite is left out.
std::map<std::string, double> MetricsOf(const json& line) {
  std::map<std::string, double> metrics;
  for (const auto& [name, value] : line.items()) {
    if (value.is_number() && name.find('/') != std::string::npos) metrics[name] = value;
  }
  return metrics;
}

void TakeEvaluation(const json& line, std::vector<EvaluationResult>* evaluations) {
  const std::string set = line.value("set", "");
  std::erase_if(*evaluations, [&](const EvaluationResult& old) { return old.set == set; });
  evaluations->push_back({set, line.value("stage", ""), MetricsOf(line)});
}

// Mean seconds of a step with the evaluations and saves between steps; 0 when nothing is known.
double SecondsPerStep(std::string_view timing_tail, const StageTarget& stage) {
  double seconds = 0;
  int64_t steps = 0;
  ForEachLine(timing_tail, [&](const json& line) {
    const bool later_stage = line.contains("stage") && line.at("stage") != stage.name;
    if (later_stage || line.value("step", int64_t{0}) <= stage.first_step) return;
    for (const char* name : {"timing/step_s", "timing/evaluate_s", "timing/checkpoint_s"}) {
      if (line.contains(name) && line.at(name).is_number()) seconds += line.at(name).get<double>();
    }
    steps += line.value("kind", "") == "step";
  });
  return steps > 0 ? seconds / static_cast<double>(steps) : 0;
}

// Steps of the run before a stage that began: its pinned start knows.
int64_t FirstStepOf(FileSystem& files, const std::string& stage_folder, int64_t fallback) {
  const std::string path = stage_folder + "/start/state.json";
  if (!files.Exists(path)) return fallback;
  const json state = json::parse(files.ReadFile(path, kMaxStateBytes), nullptr, false);
  return state.is_object() ? state.value("run_step", fallback) : fallback;
}

}  // namespace

int64_t RunProgress::StepsDone(size_t index) const {
  const StageTarget& stage = stages.at(index);
  if (index < current) return stage.num_steps;
  return index == current ? std::max<int64_t>(0, run_step - stage.first_step) : 0;
}

bool RunProgress::IsComplete() const {
  return !stages.empty() && current + 1 == stages.size() &&
         StepsDone(current) >= stages.back().num_steps && saved_step >= run_step;
}

RunProgress ProgressFrom(std::vector<StageTarget> stages, size_t begun,
                         std::string_view metrics_tail, std::string_view timing_tail) {
  RunProgress progress;
  progress.stages = std::move(stages);
  progress.current = begun - 1;
  const StageTarget& stage = progress.stages.at(progress.current);
  ForEachLine(metrics_tail, [&](const json& line) {
    const std::string kind = line.value("kind", "");
    if (kind == "evaluation") TakeEvaluation(line, &progress.evaluations);
    if (kind != "step") return;
    progress.run_step = line.value("step", int64_t{0});
    if (line.value("stage", "") != stage.name) return;
    progress.metrics = MetricsOf(line);
    progress.history_name = progress.metrics.contains("reward/mean") ? "reward/mean" : "actor/loss";
    const auto value = progress.metrics.find(progress.history_name);
    if (value != progress.metrics.end()) progress.history.push_back(value->second);
  });
  ForEachLine(timing_tail, [&](const json& line) {
    // Both files are written step by step, so the last line of a step belongs to the last metrics.
    if (line.value("kind", "") != "step" || line.value("stage", "") != stage.name) return;
    for (const auto& [name, value] : MetricsOf(line)) progress.metrics[name] = value;
  });
  const double step_s = SecondsPerStep(timing_tail, stage);
  const int64_t left = stage.num_steps - progress.StepsDone(progress.current);
  if (step_s > 0) progress.eta_s = step_s * static_cast<double>(std::max<int64_t>(0, left));
  return progress;
}

RunProgress ReadProgress(FileSystem& files, const std::string& run_folder,
                         const ExperimentConfig& config) {
  std::vector<StageTarget> stages;
  size_t begun = 1;
  int64_t first_step = 0;
  for (const StageConfig& stage : config.stages) {
    const std::string folder = run_folder + "/stages/" + stage.name;
    first_step = FirstStepOf(files, folder, first_step);
    stages.push_back({stage.name, stage.num_steps, first_step});
    first_step += stage.num_steps;
    if (files.Exists(folder + "/start")) begun = stages.size();
  }
  if (stages.empty()) return {};
  RunProgress progress =
      ProgressFrom(std::move(stages), begun, ReadTail(run_folder + "/metrics.jsonl", kTailBytes),
                   ReadTail(run_folder + "/timing.jsonl", kTailBytes));
  progress.saved_step = NewestCheckpoint(files, run_folder);
  return progress;
}

int64_t NewestCheckpoint(FileSystem& files, const std::string& run_folder) {
  return HighestNumber(files, run_folder + "/checkpoints", "step_");
}

int64_t HighestNumber(FileSystem& files, const std::string& folder, std::string_view prefix) {
  int64_t highest = -1;
  for (const std::string& name : files.List(folder)) {
    if (!name.starts_with(prefix)) continue;
    int64_t number = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, number);
    if (error == std::errc() && stop == end) highest = std::max(highest, number);
  }
  return highest;
}

}  // namespace ponder
