#include <utility>

#include "cli/inspect/render.h"
#include "cli/inspect/tensor_table.h"
#include "cli/text_page.h"

namespace ponder {
namespace {

constexpr size_t kShownDigestDigits = 12;
constexpr size_t kShownExtraFiles = 10;

std::string VersionsText(const Manifest& manifest) {
  std::string text;
  for (const auto& [model, version] : manifest.versions) {
    text += (text.empty() ? "" : ", ") + model + " at version " + std::to_string(version);
  }
  return text;
}

void AddVerdict(const CheckpointFacts& facts, TextPage* page) {
  if (facts.IsWhole()) {
    page->Line("whole: " + Plural(facts.files.size(), "file") + ", " +
                   BytesText(facts.manifest->total_bytes()) + ", every byte verified",
               Tone::kGood);
  } else {
    page->Line("DAMAGED: no start would use it", Tone::kBad);
  }
  for (const std::string& problem : facts.problems) page->Line(problem, Tone::kBad);
}

void AddManifest(const CheckpointFacts& facts, TextPage* page) {
  if (!facts.manifest) return;
  const Manifest& manifest = *facts.manifest;
  page->Line("step " + CountText(static_cast<uint64_t>(manifest.step)) + " of the run; " +
             VersionsText(manifest) + "; written by attempt " + std::to_string(manifest.attempt) +
             ", " + Plural(manifest.world_size, "rank"));
  if (!facts.state) return;
  const RunState& state = *facts.state;
  page->Line("stage number " + std::to_string(state.stage_index + 1) + ", " +
             Plural(static_cast<uint64_t>(state.stage_step), "step") + " of it done" +
             (state.stage_complete ? " and its evaluations" : ""));
}

void AddFiles(const CheckpointFacts& facts, TextPage* page) {
  if (facts.files.empty()) return;
  page->Title("files, against the manifest");
  std::vector<TextPage::Row> rows;
  for (const CheckedFile& file : facts.files) {
    const bool is_whole = file.problem.empty();
    rows.push_back({{is_whole ? "ok" : "BAD", BytesText(file.record.size),
                     file.record.sha256.substr(0, kShownDigestDigits), file.record.path},
                    is_whole ? Tone::kPlain : Tone::kBad});
  }
  page->Table({"", ">size", "sha256", "file"}, rows);
  for (const CheckedFile& file : facts.files) {
    if (!file.problem.empty()) page->Line(file.problem, Tone::kBad);
  }
  for (size_t i = 0; i < facts.extra.size() && i < kShownExtraFiles; ++i) {
    page->Line("not in the manifest, ignored: " + facts.extra[i], Tone::kQuiet);
  }
  if (facts.extra.size() > kShownExtraFiles) {
    page->Line("... and " + Plural(facts.extra.size() - kShownExtraFiles, "more such file"),
               Tone::kQuiet);
  }
}

}  // namespace

std::string TextOf(const CheckpointFacts& facts, const ConsoleStyle& style) {
  TextPage page(style);
  page.Title("checkpoint " + facts.directory);
  AddVerdict(facts, &page);
  AddManifest(facts, &page);
  AddFiles(facts, &page);
  for (const WeightsFacts& weights : facts.weights) {
    const WeightsFile& file = weights.files.front();
    page.Title(file.name + ": " + Plural(file.tensors.size(), "tensor") + ", " +
               Plural(weights.num_elements(), "element"));
    if (!file.problem.empty()) page.Line(file.problem, Tone::kBad);
    AddTensors(file.tensors, &page);
  }
  return page.text();
}

nlohmann::ordered_json JsonOf(const CheckpointFacts& facts) {
  nlohmann::ordered_json json{{"kind", "checkpoint"},
                              {"path", facts.directory},
                              {"sound", facts.IsWhole()},
                              {"problems", facts.problems}};
  if (facts.manifest) {
    json["step"] = facts.manifest->step;
    json["attempt"] = facts.manifest->attempt;
    json["world_size"] = facts.manifest->world_size;
    json["versions"] = facts.manifest->versions;
    json["config_digest"] = facts.manifest->config_digest;
  }
  if (facts.state) json["state"] = nlohmann::ordered_json::parse(facts.state->ToJson());
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const CheckedFile& file : facts.files) {
    files.push_back({{"path", file.record.path},
                     {"bytes", file.record.size},
                     {"sha256", file.record.sha256},
                     {"problem", file.problem}});
  }
  json["files"] = std::move(files);
  json["extra_files"] = facts.extra;
  nlohmann::ordered_json weights = nlohmann::ordered_json::array();
  for (const WeightsFacts& one : facts.weights) {
    weights.push_back({{"file", one.files.front().name},
                       {"problem", one.files.front().problem},
                       {"num_elements", one.num_elements()},
                       {"metadata", one.files.front().metadata},
                       {"tensors", TensorsJson(one.files.front().tensors)}});
  }
  json["weights"] = std::move(weights);
  return json;
}

}  // namespace ponder
