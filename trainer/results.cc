#include "trainer/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "trainer/samples.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kChainsShown = 3;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

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

// The first samples of the first prompts of the last evaluation.
std::string Chains(FileSystem& files, const ExperimentConfig& config, const EvaluationLine& last) {
  const std::string path =
      SamplesPath(config.RunDirectory(), {.stage = last.stage, .set = last.set});
  if (!files.Exists(path)) return {};
  std::istringstream stream(files.ReadFile(path, kMaxFileBytes));
  std::string text;
  std::string line;
  size_t shown = 0;
  while (shown < kChainsShown && std::getline(stream, line)) {
    const json sample = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (sample.is_discarded()) break;
    if (sample.value("sample", 0) != 0) continue;
    ++shown;
    text += fmt::format("  prompt    {}\n  thinks    {}\n  expected  {}   reward {:.0f} ({})\n\n",
                        sample.value("prompt", ""), sample.value("response", ""),
                        sample.value("reference", ""), sample.value("reward", 0.0),
                        sample.value("rule", ""));
  }
  return text;
}

}  // namespace

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
  const StageConfig& last = config.stages.back();
  const bool by_epochs = last.data.num_epochs > 0;
  text += fmt::format("Go on from here: ponder up {} --set stages.{}.{}={}\n", config_path,
                      last.name, by_epochs ? "data.num_epochs" : "num_steps",
                      2 * (by_epochs ? last.data.num_epochs : last.num_steps));
  return text;
}

}  // namespace ponder
