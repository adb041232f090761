#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/report/json_lines.h"
#include "cli/report/run_data.h"
#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder::report {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxConfigBytes = 1 << 20;
// Names beyond this in one stage are a broken file, not metrics.
constexpr size_t kMaxMetrics = 512;
constexpr size_t kMaxStages = 256;

std::string TextOf(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A number, NaN for the null that stands for a value which was not finite, or nothing.
std::optional<double> NumberOf(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

double SecondsOf(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? found->get<double>() : 0.0;
}

// The labels of a line have plain names; metrics have a name with a slash.
bool IsMetric(const std::string& key) { return key.find('/') != std::string::npos; }

// Puts the lines of both files into the stages of a run.
class LineSorter {
 public:
  explicit LineSorter(RunData* run) : run_(*run) {}

  void TakeMetrics(const json& line) {
    StageData* stage = StageOf(line);
    const std::string kind = TextOf(line, "kind");
    if (stage == nullptr || (kind != "step" && kind != "evaluation")) return;
    const std::optional<double> step = StepIn(*stage, line);
    if (!step) return;
    if (kind == "evaluation") return AddEvaluation(*stage, line, *step);
    AddScalars(line, *step, &stage->metrics);
    AddLengths(*stage, line, *step);
    stage->num_steps = std::max(stage->num_steps, static_cast<uint64_t>(*step));
  }

  void TakeTiming(const json& line) {
    const std::string kind = TextOf(line, "kind");
    // A save belongs to the stage of the lines before it.
    if (kind == "checkpoint") {
      if (timed_ != nullptr) timed_->checkpoint_s += SecondsOf(line, "timing/checkpoint_s");
      return;
    }
    StageData* stage = FindStage(TextOf(line, "stage"));
    if (stage == nullptr) return;
    timed_ = stage;
    if (kind == "evaluation") stage->evaluate_s += SecondsOf(line, "timing/evaluate_s");
    if (kind != "step") return;
    if (const auto step = StepIn(*stage, line)) AddScalars(line, *step, &stage->timing);
  }

  // Lines that make no sense where they stand.
  uint64_t misplaced() const { return misplaced_; }

 private:
  StageData* FindStage(const std::string& name) {
    for (StageData& stage : run_.stages) {
      if (stage.name == name) return &stage;
    }
    return nullptr;
  }

  // The stage of a metrics line; a new name begins a new stage.
  StageData* StageOf(const json& line) {
    const std::string name = TextOf(line, "stage");
    if (name.empty()) return nullptr;
    if (StageData* stage = FindStage(name)) return stage;
    if (run_.stages.size() == kMaxStages) {
      ++misplaced_;
      return nullptr;
    }
    StageData stage;
    stage.name = name;
    stage.steps_before = last_step_;
    if (run_.config) {
      for (const StageConfig& config : run_.config->stages) {
        if (config.name == name) stage.algorithm = config.algorithm;
      }
    }
    run_.stages.push_back(std::move(stage));
    return &run_.stages.back();
  }

  // The line's step, counted in the stage; nothing when it has none or lies before the stage.
  std::optional<double> StepIn(const StageData& stage, const json& line) {
    const auto found = line.find("step");
    if (found == line.end() || !found->is_number_unsigned() ||
        found->get<uint64_t>() < stage.steps_before) {
      ++misplaced_;
      return std::nullopt;
    }
    last_step_ = std::max(last_step_, found->get<uint64_t>());
    return static_cast<double>(found->get<uint64_t>() - stage.steps_before);
  }

  void AddScalars(const json& line, double step, std::map<std::string, Series>* all) {
    for (const auto& [key, json_value] : line.items()) {
      if (!IsMetric(key)) continue;
      const std::optional<double> value = NumberOf(json_value);
      if (!value || (all->size() >= kMaxMetrics && !all->contains(key))) continue;
      Series& series = (*all)[key];
      if (!series.empty() && series.step.back() >= step) {
        ++misplaced_;
        return;
      }
      series.step.push_back(step);
      series.value.push_back(*value);
    }
  }

  static void AddEvaluation(StageData& stage, const json& line, double step) {
    EvaluationPoint point{
        .step = step, .at_stage_end = TextOf(line, "at") == "stage_end", .values = {}};
    for (const auto& [key, json_value] : line.items()) {
      if (!IsMetric(key)) continue;
      if (const auto value = NumberOf(json_value)) point.values[key] = *value;
    }
    stage.evaluations[TextOf(line, "set")].push_back(std::move(point));
  }

  static void AddLengths(StageData& stage, const json& line, double step) {
    const auto counts = line.find("response_length/histogram");
    const auto bin = line.find("response_length/histogram_bin");
    if (counts == line.end() || bin == line.end() || !counts->is_array() || !bin->is_number())
      return;
    LengthCounts lengths{.step = step, .bin_tokens = bin->get<double>(), .counts = {}};
    for (const json& count : *counts) {
      lengths.counts.push_back(count.is_number() ? count.get<double>() : 0.0);
    }
    stage.lengths.push_back(std::move(lengths));
  }

  RunData& run_;
  StageData* timed_ = nullptr;
  uint64_t last_step_ = 0;
  uint64_t misplaced_ = 0;
};

void ReadConfig(FileSystem& files, RunData* run) {
  const std::string path = run->folder + "/config.resolved.yaml";
  if (!files.Exists(path)) {
    run->notes.emplace_back("config.resolved.yaml is missing: algorithms and keys are unknown");
    return;
  }
  run->config_text = files.ReadFile(path, kMaxConfigBytes);
  try {
    run->config = ParseExperiment(run->config_text, "config.resolved.yaml", {});
    run->name = run->config->run.name;
  } catch (const ConfigError& error) {
    run->notes.push_back(std::string("the configuration cannot be read by this release: ") +
                         error.what());
  }
}

void ReadIdentity(FileSystem& files, RunData* run) {
  const std::string path = run->folder + "/run.json";
  if (!files.Exists(path)) return;
  try {
    const json identity =
        ParseJsonStrict(files.ReadFile(path, kMaxConfigBytes), path, kMaxConfigBytes);
    run->run_id = TextOf(identity, "run_id");
  } catch (const Error& error) {
    run->notes.emplace_back(error.what());
  }
}

void Note(const std::string& text, RunData* run) {
  if (!text.empty()) run->notes.push_back(text);
}

}  // namespace

RunData ReadRun(FileSystem& files, const std::string& folder) {
  RunData run;
  run.folder = folder;
  while (run.folder.size() > 1 && run.folder.ends_with('/')) run.folder.pop_back();
  run.name = run.folder.substr(run.folder.rfind('/') + 1);
  const std::string metrics_path = run.folder + "/metrics.jsonl";
  if (!files.Exists(metrics_path)) {
    throw Error(Condition::kBadData,
                "reading run " + run.folder + ": expected a run folder with " +
                    "metrics.jsonl, got " +
                    (files.Exists(run.folder) ? "a folder without it" : "no such folder") +
                    " (a run's folder is run.dir/run.name, as in "
                    "runs/quickstart)");
  }
  ReadConfig(files, &run);
  ReadIdentity(files, &run);
  LineSorter sorter(&run);
  const JsonLinesCount metrics =
      ReadJsonLines(metrics_path, [&sorter](const json& line) { sorter.TakeMetrics(line); });
  const JsonLinesCount timing = ReadJsonLines(
      run.folder + "/timing.jsonl", [&sorter](const json& line) { sorter.TakeTiming(line); });
  run.bytes_read = metrics.bytes + timing.bytes;
  Note(DescribeDamage("metrics.jsonl", metrics), &run);
  Note(DescribeDamage("timing.jsonl", timing), &run);
  if (sorter.misplaced() > 0) {
    run.notes.push_back(
        std::to_string(sorter.misplaced()) +
        " lines were left out: their step is missing, or not after the step before");
  }
  return run;
}

}  // namespace ponder::report
