#include "cli/doctor/finding.h"

#include <algorithm>
#include <utility>

namespace ponder {
namespace {

constexpr size_t kMarkColumns = 6;
constexpr size_t kNameColumns = 16;
// Below this width texts go on under the name.
constexpr size_t kTwoColumns = 60;
constexpr size_t kMaxTextBytes = 2000;

struct Mark {
  const char* text;  // on the page
  const char* word;  // in JSON
  Tone tone;
};

Mark MarkOf(FindingState state) {
  switch (state) {
    case FindingState::kWorks:
      return {"ok", "works", Tone::kGood};
    case FindingState::kWarning:
      return {"note", "works, see advice", Tone::kTitle};
    case FindingState::kFails:
      return {"FAIL", "does not work", Tone::kBad};
    case FindingState::kNotNeeded:
      return {"-", "not needed here", Tone::kQuiet};
  }
  return {"", "", Tone::kPlain};
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

}  // namespace

Finding Blocking(std::string name, Condition condition, std::string text, std::string advice) {
  return {.name = std::move(name),
          .state = FindingState::kFails,
          .text = std::move(text),
          .advice = std::move(advice),
          .blocks = condition};
}

int ExitCodeOf(const std::vector<FindingSection>& sections) {
  for (const FindingSection& section : sections) {
    for (const Finding& finding : section.findings) {
      if (finding.blocks) return RowOf(*finding.blocks).exit_code;
    }
  }
  return 0;
}

std::string TextOf(const std::vector<FindingSection>& sections, const ConsoleStyle& style) {
  const size_t indent = 2 + kMarkColumns + (style.columns < kTwoColumns ? 0 : kNameColumns);
  std::string text;
  for (const FindingSection& section : sections) {
    text += (text.empty() ? "" : "\n") + Paint(section.title, Tone::kTitle, style) + "\n";
    for (const Finding& finding : section.findings) {
      const Mark mark = MarkOf(finding.state);
      const std::string name = Padded(Printable(finding.name), kNameColumns);
      text += "  " + Paint(Padded(mark.text, kMarkColumns), mark.tone, style) + name +
              Wrap(Printable(finding.text, kMaxTextBytes), 2 + kMarkColumns + name.size(), indent,
                   style.columns);
      if (finding.advice.empty()) continue;
      text += std::string(indent, ' ') + Wrap("-> " + Printable(finding.advice, kMaxTextBytes),
                                              indent, indent + 3, style.columns);
    }
  }
  const int exit_code = ExitCodeOf(sections);
  text += "\n" +
          (exit_code == 0 ? Paint("A run on the CPU would work here.", Tone::kGood, style)
                          : Paint("A run would not work here: see FAIL.", Tone::kBad, style)) +
          "\n";
  return text;
}

nlohmann::ordered_json JsonOf(const std::vector<FindingSection>& sections) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const FindingSection& section : sections) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const Finding& finding : section.findings) {
      findings.push_back({{"name", finding.name},
                          {"state", MarkOf(finding.state).word},
                          {"text", finding.text},
                          {"advice", finding.advice},
                          {"blocks_a_run", finding.blocks.has_value()},
                          {"details", finding.details}});
    }
    list.push_back({{"title", section.title}, {"findings", std::move(findings)}});
  }
  return {{"kind", "doctor"}, {"exit_code", ExitCodeOf(sections)}, {"sections", std::move(list)}};
}

}  // namespace ponder
