#include <utility>

#include "cli/inspect/render.h"
#include "cli/inspect/tensor_table.h"
#include "cli/text_page.h"

namespace ponder {

std::string TextOf(const WeightsFacts& facts, const ConsoleStyle& style) {
  TextPage page(style);
  page.Title("weights " + facts.path);
  page.Line(facts.IsSound() ? "sound" : "DAMAGED", facts.IsSound() ? Tone::kGood : Tone::kBad);
  page.Line(Plural(facts.num_tensors(), "tensor") + ", " + Plural(facts.num_elements(), "element") +
            ", in " + Plural(facts.files.size(), "file"));
  for (const std::string& problem : facts.problems) page.Line(problem, Tone::kBad);
  if (!facts.architecture.empty()) {
    page.Title("config.json");
    for (const auto& [key, value] : facts.architecture) page.Item(key, value, 26);
  }
  for (const WeightsFile& file : facts.files) {
    page.Title(file.name + ", " + BytesText(file.size));
    if (!file.problem.empty()) page.Line(file.problem, Tone::kBad);
    for (const auto& [key, value] : file.metadata) page.Line(key + ": " + value, Tone::kQuiet);
    AddTensors(file.tensors, &page);
  }
  return page.text();
}

nlohmann::ordered_json JsonOf(const WeightsFacts& facts) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const WeightsFile& file : facts.files) {
    files.push_back({{"name", file.name},
                     {"bytes", file.size},
                     {"problem", file.problem},
                     {"metadata", file.metadata},
                     {"tensors", TensorsJson(file.tensors)}});
  }
  nlohmann::ordered_json architecture = nlohmann::ordered_json::object();
  for (const auto& [key, value] : facts.architecture) architecture[key] = value;
  return {{"kind", "weights"},
          {"path", facts.path},
          {"sound", facts.IsSound()},
          {"num_tensors", facts.num_tensors()},
          {"num_elements", facts.num_elements()},
          {"architecture", std::move(architecture)},
          {"problems", facts.problems},
          {"files", std::move(files)}};
}

}  // namespace ponder
