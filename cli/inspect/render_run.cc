#include <utility>

#include "cli/inspect/render.h"
#include "cli/text_page.h"

namespace ponder {
namespace {

constexpr size_t kLabelColumns = 10;

const char* NameOf(ResumeFacts::Kind kind) {
  switch (kind) {
    case ResumeFacts::Kind::kBegins:
      return "begins";
    case ResumeFacts::Kind::kGoesOn:
      return "goes_on";
    case ResumeFacts::Kind::kFinished:
      return "finished";
    case ResumeFacts::Kind::kRefuses:
      return "refuses";
  }
  return "";
}

uint64_t SizeOf(const RunFacts& facts, const std::string& name) {
  for (const MetricsFacts& file : facts.metrics) {
    if (file.name == name) return file.size;
  }
  return 0;
}

// The sentences on what a start would do, which is the question that people come with.
void AddResume(const RunFacts& facts, TextPage* page) {
  const ResumeFacts& resume = facts.resume;
  page->Title("if it were started now");
  for (const auto& [name, why] : resume.passed_over) {
    page->Line("passes over " + name + ": " + why, Tone::kBad);
  }
  switch (resume.kind) {
    case ResumeFacts::Kind::kBegins:
      page->Line("begins with the first stage: nothing is saved yet");
      return;
    case ResumeFacts::Kind::kRefuses:
      page->Line("REFUSES: " + resume.reason, Tone::kBad);
      return;
    case ResumeFacts::Kind::kFinished:
      page->Line("finished: shows its result again; more num_steps of the last stage, '" +
                     resume.stage + "', would go on from " + resume.from,
                 Tone::kGood);
      return;
    case ResumeFacts::Kind::kGoesOn:
      break;
  }
  page->Line("goes on from " + resume.from + " with stage '" + resume.stage + "', after " +
                 Plural(static_cast<uint64_t>(resume.position.stage_step), "step") + " of it (" +
                 Plural(static_cast<uint64_t>(resume.position.run_step), "step") + " of the run)",
             Tone::kGood);
  const uint64_t size = SizeOf(facts, "metrics.jsonl");
  if (size > resume.position.metrics_bytes) {
    page->Line("cuts metrics.jsonl back from " + CountText(size) + " to " +
               CountText(resume.position.metrics_bytes) +
               " bytes: those steps are done again, alike");
  }
}

void AddStages(const RunFacts& facts, TextPage* page) {
  if (facts.stages.empty()) return;
  page->Title("stages");
  std::vector<TextPage::Row> rows;
  for (const StageFacts& stage : facts.stages) {
    const bool has_begun = stage.done_steps.value_or(0) > 0 || stage.is_complete;
    rows.push_back(
        {{stage.name, stage.algorithm,
          stage.done_steps ? CountText(static_cast<uint64_t>(*stage.done_steps)) : "unknown",
          CountText(static_cast<uint64_t>(stage.num_steps)),
          stage.is_complete ? "done"
          : has_begun       ? "in progress"
                            : ""}});
  }
  page->Table({"name", "algorithm", ">saved", ">steps", ""}, rows);
}

void AddAttempts(const RunFacts& facts, TextPage* page) {
  if (facts.attempts.empty()) return;
  page->Title("attempts");
  for (const AttemptFacts& attempt : facts.attempts) {
    page->Item(std::to_string(attempt.number), attempt.end, kLabelColumns,
               attempt.end == "finished" || attempt.end == "running" ? Tone::kGood : Tone::kPlain);
  }
  std::string logs;
  for (const std::string& log : facts.attempts.back().logs) logs += " " + log;
  page->Line("logs: " + facts.directory + "/attempts/" +
                 std::to_string(facts.attempts.back().number) + ":" + logs,
             Tone::kQuiet);
}

void AddSaved(const std::string& title, const std::vector<SavedStateFacts>& states,
              const RunFacts& facts, TextPage* page) {
  if (states.empty()) return;
  page->Title(title);
  std::vector<TextPage::Row> rows;
  for (const SavedStateFacts& saved : states) {
    if (!saved.state) {
      rows.push_back({{"BAD", "", saved.name, saved.problem}, Tone::kBad});
      continue;
    }
    const size_t index = saved.state->stage_index;
    const std::string stage =
        index < facts.stages.size() ? facts.stages[index].name : "number " + std::to_string(index);
    rows.push_back({{"whole", BytesText(saved.size), saved.name,
                     "stage " + stage + ", step " + std::to_string(saved.state->stage_step) +
                         ", version " + std::to_string(saved.state->version)}});
  }
  page->Table({"", ">size", "name", ""}, rows);
}

void AddMetrics(const RunFacts& facts, TextPage* page) {
  if (facts.metrics.empty()) return;
  page->Title("measurements");
  for (const MetricsFacts& file : facts.metrics) {
    std::string text = Plural(file.num_lines, "line") + ", " + BytesText(file.size);
    if (file.num_bad_lines > 0) text += ", " + CountText(file.num_bad_lines) + " of them no JSON";
    if (!file.ends_in_a_line) text += ", the last line torn (a start cuts it off)";
    page->Item(file.name, text, 15, file.num_bad_lines > 0 ? Tone::kBad : Tone::kPlain);
  }
}

nlohmann::ordered_json SavedJson(const std::vector<SavedStateFacts>& states) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const SavedStateFacts& saved : states) {
    nlohmann::ordered_json json{
        {"name", saved.name}, {"whole", saved.state.has_value()}, {"problem", saved.problem}};
    if (saved.state) {
      json["bytes"] = saved.size;
      json["state"] = nlohmann::ordered_json::parse(saved.state->ToJson());
    }
    list.push_back(std::move(json));
  }
  return list;
}

nlohmann::ordered_json ResumeJson(const ResumeFacts& resume) {
  nlohmann::ordered_json json{{"would", NameOf(resume.kind)}};
  if (!resume.from.empty()) {
    json["from"] = resume.from;
    json["stage"] = resume.stage;
    json["stage_step"] = resume.position.stage_step;
    json["run_step"] = resume.position.run_step;
    json["metrics_bytes"] = resume.position.metrics_bytes;
  }
  if (!resume.reason.empty()) json["reason"] = resume.reason;
  json["passed_over"] = resume.passed_over;
  return json;
}

}  // namespace

std::string TextOf(const RunFacts& facts, const ConsoleStyle& style) {
  TextPage page(style);
  page.Title("run " + facts.directory);
  std::string identity = facts.run_id.empty() ? "no identity" : facts.run_id;
  identity += ", started " + Plural(facts.num_attempts, "time");
  if (!facts.holder.empty()) identity += ", running now (" + facts.holder + ")";
  page.Line(identity);
  for (const std::string& problem : facts.problems) page.Line(problem, Tone::kBad);
  AddStages(facts, &page);
  AddAttempts(facts, &page);
  AddSaved("checkpoints", facts.checkpoints, facts, &page);
  AddSaved("pinned starts of stages", facts.stage_starts, facts, &page);
  AddMetrics(facts, &page);
  AddResume(facts, &page);
  return page.text();
}

nlohmann::ordered_json JsonOf(const RunFacts& facts) {
  nlohmann::ordered_json stages = nlohmann::ordered_json::array();
  for (const StageFacts& stage : facts.stages) {
    stages.push_back({{"name", stage.name},
                      {"algorithm", stage.algorithm},
                      {"num_steps", stage.num_steps},
                      {"saved_steps", stage.done_steps ? nlohmann::ordered_json(*stage.done_steps)
                                                       : nlohmann::ordered_json(nullptr)},
                      {"complete", stage.is_complete}});
  }
  nlohmann::ordered_json attempts = nlohmann::ordered_json::array();
  for (const AttemptFacts& attempt : facts.attempts) {
    attempts.push_back({{"number", attempt.number}, {"end", attempt.end}, {"logs", attempt.logs}});
  }
  nlohmann::ordered_json metrics = nlohmann::ordered_json::array();
  for (const MetricsFacts& file : facts.metrics) {
    metrics.push_back({{"name", file.name},
                       {"bytes", file.size},
                       {"num_lines", file.num_lines},
                       {"num_bad_lines", file.num_bad_lines},
                       {"ends_in_a_line", file.ends_in_a_line}});
  }
  return {{"kind", "run"},
          {"path", facts.directory},
          {"sound", facts.IsSound()},
          {"run_id", facts.run_id},
          {"num_attempts", facts.num_attempts},
          {"holder", facts.holder},
          {"problems", facts.problems},
          {"stages", std::move(stages)},
          {"attempts", std::move(attempts)},
          {"checkpoints", SavedJson(facts.checkpoints)},
          {"stage_starts", SavedJson(facts.stage_starts)},
          {"metrics", std::move(metrics)},
          {"resume", ResumeJson(facts.resume)}};
}

}  // namespace ponder
