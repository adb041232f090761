#include "trainer/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "core/base/error.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kPromptsKept = 16;
constexpr size_t kChainsShown = 3;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

std::string SamplesPath(const std::string& run_dir, const std::string& evaluation,
                        const std::string& stage) {
  return run_dir + "/samples/" + evaluation + "_after_" + stage + ".jsonl";
}

std::string SampledText(const Trajectory& trajectory, const Tokenizer& tokenizer) {
  std::vector<uint32_t> sampled;
  for (size_t segment = 0; segment < trajectory.segments.size(); ++segment) {
    if (trajectory.segments[segment].kind != SegmentKind::kSampled) continue;
    const size_t begin = trajectory.segments[segment].begin;
    const size_t end = segment + 1 < trajectory.segments.size()
                           ? trajectory.segments[segment + 1].begin
                           : trajectory.token_ids.size();
    sampled.insert(sampled.end(), trajectory.token_ids.begin() + static_cast<std::ptrdiff_t>(begin),
                   trajectory.token_ids.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return tokenizer.Decode(sampled);
}

// One evaluation line of metrics.jsonl.
struct EvaluationLine {
  std::string set;
  std::string stage;
  json values;
};

std::vector<EvaluationLine> StageEndLines(FileSystem& files, const ExperimentConfig& config) {
  const std::string path = config.RunDirectory() + "/metrics.jsonl";
  std::vector<EvaluationLine> lines;
  if (!files.Exists(path)) return lines;
  std::istringstream stream(files.ReadFile(path, kMaxFileBytes));
  std::string text;
  while (std::getline(stream, text)) {
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (line.is_discarded() || line.value("kind", "") != "evaluation") continue;
    if (line.value("at", "") != "stage_end") continue;
    lines.push_back({line.value("set", ""), line.value("stage", ""), line});
  }
  return lines;
}

// "47.6% [45.3, 49.9]", or a dash when the line has no such share.
std::string Share(const EvaluationLine& line, const std::string& name) {
  if (!line.values.contains(name)) return "-";
  return fmt::format("{:.1f}% [{:.1f}, {:.1f}]", 100 * line.values.at(name).get<double>(),
                     100 * line.values.value(name + "_low", 0.0),
                     100 * line.values.value(name + "_high", 0.0));
}

// What a stage changed, in percentage points: "+52.6", or nothing without a share before it.
std::string Change(const EvaluationLine* before, const EvaluationLine& after,
                   const std::string& name) {
  if (before == nullptr || !before->values.contains(name) || !after.values.contains(name))
    return "";
  return fmt::format("{:+.1f}", 100 * (after.values.at(name).get<double>() -
                                       before->values.at(name).get<double>()));
}

// 80 columns at names of up to 10.
std::string Table(const std::vector<EvaluationLine>& lines) {
  constexpr const char* kRow = "{:<10} {:<10} {:<21}{:>7}  {:<21}{:>7}\n";
  std::string text =
      fmt::format(kRow, "stage", "evaluation", "sampled", "change", "greedy", "change");
  std::map<std::string, const EvaluationLine*> before;
  for (const EvaluationLine& line : lines) {
    const EvaluationLine* previous = before[line.set];
    text += fmt::format(kRow, line.stage, line.set, Share(line, "val/sampled"),
                        Change(previous, line, "val/sampled"), Share(line, "val/greedy"),
                        Change(previous, line, "val/greedy"));
    before[line.set] = &line;
  }
  return text + "(shares of right answers after each stage, 95 % intervals, change in points)\n";
}

std::string Chains(FileSystem& files, const ExperimentConfig& config, const EvaluationLine& last) {
  const std::string path = SamplesPath(config.RunDirectory(), last.set, last.stage);
  if (!files.Exists(path)) return {};
  std::istringstream stream(files.ReadFile(path, kMaxFileBytes));
  std::string text;
  std::string line;
  for (size_t shown = 0; shown < kChainsShown && std::getline(stream, line); ++shown) {
    const json sample = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (sample.is_discarded()) break;
    text += fmt::format("  prompt    {}\n  thinks    {}\n  expected  {}   reward {:.0f} ({})\n\n",
                        sample.value("prompt", ""), sample.value("response", ""),
                        sample.value("reference", ""), sample.value("reward", 0.0),
                        sample.value("rule", ""));
  }
  return text;
}

}  // namespace

void WriteSamples(FileSystem& files, const std::string& run_dir, const std::string& evaluation,
                  const std::string& stage, const std::vector<TrajectoryGroup>& groups,
                  const Tokenizer& tokenizer) {
  std::string text;
  size_t kept = 0;
  for (const TrajectoryGroup& group : groups) {
    if (group.trajectories.empty()) continue;
    if (kept++ == kPromptsKept) break;
    const Trajectory& trajectory = group.trajectories.front();
    const json sample{
        {"prompt", tokenizer.Decode(group.lease.prompt.token_ids)},
        {"response", SampledText(trajectory, tokenizer)},
        {"reference", group.lease.prompt.reference_answer},
        {"reward", trajectory.TotalReward()},
        {"rule", trajectory.rewards.empty() ? "" : trajectory.rewards.front().rule},
    };
    text += sample.dump() + "\n";
  }
  files.MakeDirectories(run_dir + "/samples");
  WriteFileAtomically(files, SamplesPath(run_dir, evaluation, stage), text);
}

std::string RenderResults(FileSystem& files, const ExperimentConfig& config,
                          const std::string& config_path) {
  const std::vector<EvaluationLine> lines = StageEndLines(files, config);
  std::string text = "\n";
  if (lines.empty()) {
    text += "No evaluation at the end of a stage was asked for.\n";
  } else {
    text += Table(lines) + "\nThree chains of thought after the last stage:\n\n" +
            Chains(files, config, lines.back());
  }
  text += fmt::format("Run folder: {}\n", config.RunDirectory());
  text += fmt::format("Go on from here: ponder up {} --set stages.{}.num_steps={}\n", config_path,
                      config.stages.back().name, 2 * config.stages.back().num_steps);
  return text;
}

}  // namespace ponder
