#include "cli/evaluation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kMaxLineBytes = size_t{1} << 20;
constexpr std::string_view kPrefix = "val/";

// The last evaluation line of each set.
std::map<std::string, json> LinesBySet(const std::string& metrics, const std::string& source) {
  std::map<std::string, json> lines;
  std::istringstream stream(metrics);
  std::string text;
  while (std::getline(stream, text)) {
    const json line = ParseJsonStrict(text, source, kMaxLineBytes);
    if (line.value("kind", "") == "evaluation") lines[line.value("set", "")] = line;
  }
  return lines;
}

// {value, low, high} of every metric that has an interval, by its name without "val/".
json SharesOf(const json& line) {
  json shares = json::object();
  for (const auto& [name, value] : line.items()) {
    if (!name.starts_with(kPrefix) || !line.contains(name + "_low")) continue;
    shares[name.substr(kPrefix.size())] = {
        {"value", value}, {"low", line.at(name + "_low")}, {"high", line.at(name + "_high")}};
  }
  return shares;
}

json SetJson(const EvaluationConfig& set, const json& line, const std::string& run_directory,
             const std::string& stage) {
  return {{"set", set.name},
          {"task", set.task},
          {"num_samples", set.num_samples},
          {"temperature", set.temperature},
          {"max_new_tokens", set.max_new_tokens},
          {"num_prompts", line.at("val/prompts").get<uint64_t>()},
          {"num_failed", line.at("val/failed_groups").get<uint64_t>()},
          {"response_length", line.at("val/response_length")},
          {"shares", SharesOf(line)},
          {"outcomes", run_directory + "/outcomes/" + set.name + "_after_" + stage + ".jsonl"}};
}

// " 96.7% [95.4, 97.9]"
std::string ShareText(const json& share) {
  return fmt::format("{:5.1f}% [{:.1f}, {:.1f}]", 100 * share.at("value").get<double>(),
                     100 * share.at("low").get<double>(), 100 * share.at("high").get<double>());
}

// Of "pass_at_8" or "maj_at_8", or a dash.
std::string ShareAt(const json& shares, const std::string& family, int64_t k) {
  // One sample passes, and is its own majority, exactly when it is right.
  const std::string name = k == 1 ? "sampled" : family + "_at_" + std::to_string(k);
  return shares.contains(name) ? ShareText(shares.at(name)) : "    -";
}

std::string SetTable(const json& set) {
  const auto num_samples = set.at("num_samples").get<int64_t>();
  const json& shares = set.at("shares");
  std::string text =
      fmt::format("\n{}: {} prompts of task {}, {} sample{} each at temperature {}\n",
                  set.at("set").get<std::string>(), set.at("num_prompts").get<uint64_t>(),
                  set.at("task").get<std::string>(), num_samples, num_samples == 1 ? "" : "s",
                  set.at("temperature").get<double>());
  if (const auto failed = set.at("num_failed").get<uint64_t>(); failed > 0) {
    text += fmt::format("  {} more prompts have no answer and are left out\n", failed);
  }
  text += fmt::format("  {:>8}  {:<22}  {}\n", "k", "pass@k", "maj@k");
  std::vector<int64_t> sizes{1};
  for (const int64_t k : SubsetSizes(num_samples)) sizes.push_back(k);
  for (const int64_t k : sizes) {
    text += fmt::format("  {:>8}  {:<22}  {}\n", k, ShareAt(shares, "pass", k),
                        ShareAt(shares, "maj", k));
  }
  if (shares.contains("greedy")) {
    text += fmt::format("  {:>8}  {}\n", "greedy", ShareText(shares.at("greedy")));
  }
  return text;
}

}  // namespace

json EvaluationJson(const ExperimentConfig& experiment, const std::string& metrics) {
  const std::string directory = experiment.RunDirectory();
  const std::string source = directory + "/metrics.jsonl";
  const StageConfig& stage = experiment.stages.front();
  const ModelInit& init = experiment.models.front().init;
  const std::map<std::string, json> lines = LinesBySet(metrics, source);
  json sets = json::array();
  for (const EvaluationConfig& set : experiment.evaluation) {
    const bool measured = stage.sets.empty() || std::find(stage.sets.begin(), stage.sets.end(),
                                                          set.name) != stage.sets.end();
    if (!measured) continue;
    const auto line = lines.find(set.name);
    if (line == lines.end()) {
      throw Error(Condition::kBadData, "reading " + source + ": expected a line of evaluation '" +
                                           set.name + "', got none");
    }
    sets.push_back(SetJson(set, line->second, directory, stage.name));
  }
  return {{"run", init.run}, {"step", init.step}, {"folder", directory}, {"sets", sets}};
}

std::string EvaluationTable(const json& evaluation) {
  std::string text = fmt::format("{} step {}\n", evaluation.at("run").get<std::string>(),
                                 evaluation.at("step").get<int64_t>());
  for (const json& set : evaluation.at("sets")) text += SetTable(set);
  return text + "\n(95 % intervals over prompts; details in " +
         evaluation.at("folder").get<std::string>() + ")\n";
}

}  // namespace ponder
