#include "cli/report/page.h"

#include <fmt/format.h>

#include "cli/report/content_security.h"
#include "cli/report/scale.h"
#include "cli/report/stage_panels.h"
#include "cli/report/tables.h"
#include "cli/report/transcripts.h"
#include "core/base/file.h"

namespace ponder::report {
namespace {

std::string TableHtml(const DataTable& table, std::string_view style, bool row_headers = false) {
  std::string html = fmt::format(R"(<div class="scroll"><table class="{}">)", style);
  if (!table.headers.empty()) {
    html += "<thead><tr>";
    for (const std::string& header : table.headers) {
      html += "<th scope=\"col\">" + Escaped(header) + "</th>";
    }
    html += "</tr></thead>";
  }
  html += "<tbody>";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      const bool is_header = row_headers && i == 0;
      html += (is_header ? "<th scope=\"row\">" : "<td>") + Escaped(row[i]) +
              (is_header ? "</th>" : "</td>");
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string FigureHtml(const Figure& figure) {
  std::string html = figure.narrow ? "<figure class=\"full\">" : "<figure>";
  std::string svg = InlineSvg(figure.drawing);
  if (figure.narrow) {
    // One of the two is displayed, by the width of the page.
    constexpr std::string_view kClass = "class=\"fig";
    svg.insert(svg.find(kClass) + kClass.size(), " large");
    std::string narrow = InlineSvg(*figure.narrow);
    narrow.insert(narrow.find(kClass) + kClass.size(), " small");
    svg += narrow;
  }
  html += svg + "<output></output><figcaption>" + Escaped(figure.caption) + "</figcaption>";
  if (!figure.data.empty()) {
    html += "<details><summary>Some of the values</summary>" + TableHtml(figure.data, "numbers") +
            "</details>";
  }
  return html + "</figure>";
}

std::string SectionHtml(const ReportSection& section) {
  if (section.figures.empty() && section.text.empty()) return {};
  std::string html = "<section><h2>" + Escaped(section.title) + "</h2>";
  if (!section.figures.empty()) {
    html += "<div class=\"figures\">";
    for (const Figure& figure : section.figures) html += FigureHtml(figure);
    html += "</div>";
  }
  if (!section.text.empty()) html += "<p class=\"small\">" + Escaped(section.text) + "</p>";
  return html + "</section>";
}

std::string StagesText(const RunData& run) {
  std::string text;
  for (const StageData& stage : run.stages) {
    text += (text.empty() ? "" : " \u2192 ") + stage.name + " (";
    text += (stage.algorithm.empty() ? "" : stage.algorithm + ", ") +
            std::to_string(stage.num_steps) + (stage.num_steps == 1 ? " step)" : " steps)");
  }
  return text;
}

// The newest evaluation of each set, and what the last step says.
std::string FinalNumbers(const RunData& run) {
  std::map<std::string, std::string> evaluations;
  for (const StageData& stage : run.stages) {
    for (const auto& [set, points] : stage.evaluations) {
      const auto& values = points.back().values;
      const auto value = values.find("val/sampled");
      if (value == values.end()) continue;
      std::string text = fmt::format("{}: {:.1f} % right", set, 100 * value->second);
      const auto low = values.find("val/sampled_low");
      const auto high = values.find("val/sampled_high");
      if (low != values.end() && high != values.end()) {
        text += fmt::format(" [{:.1f}, {:.1f}]", 100 * low->second, 100 * high->second);
      }
      evaluations[set] = text;
    }
  }
  std::string text;
  for (const auto& [set, line] : evaluations) text += line + "\n";
  if (run.stages.empty()) return text + "nothing was measured yet";
  for (const char* metric :
       {"reward/mean", "actor/loss", "response_length/mean", "actor/entropy"}) {
    const auto found = run.stages.back().metrics.find(metric);
    if (found == run.stages.back().metrics.end() || found->second.empty()) continue;
    text += fmt::format("{} {}\n", metric, ShortNumber(found->second.value.back()));
  }
  return text;
}

DataTable Facts(const std::vector<RunData>& runs) {
  constexpr size_t kDigestDigits = 12;
  DataTable table;
  if (runs.size() > 1) {
    table.headers.emplace_back();
    for (const std::string& label : RunLabels(runs)) table.headers.push_back(label);
  }
  const auto add = [&](const std::string& name, const auto& value_of) {
    std::vector<std::string> row{name};
    for (const RunData& run : runs) row.push_back(value_of(run));
    table.rows.push_back(std::move(row));
  };
  add("at the end", FinalNumbers);
  add("stages", StagesText);
  add("seed", [](const RunData& run) {
    return run.config ? std::to_string(run.config->run.seed) : std::string("unknown");
  });
  add("time", [](const RunData& run) { return DurationText(TotalSeconds(run)); });
  add("configuration", [](const RunData& run) {
    return run.config_text.empty()
               ? std::string("missing")
               : "SHA-256 " + Sha256Hex(run.config_text).substr(0, kDigestDigits);
  });
  add("run", [](const RunData& run) { return run.run_id; });
  add("folder", [](const RunData& run) { return run.folder; });
  return table;
}

std::string NotesHtml(const std::vector<RunData>& runs) {
  std::string html;
  const std::vector<std::string> labels = RunLabels(runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const std::string& note : runs[i].notes) {
      html +=
          "<p class=\"note\">" + Escaped((runs.size() > 1 ? labels[i] + ": " : "") + note) + "</p>";
    }
  }
  return html;
}

// One table per run, with the run's name above where there are several.
template <typename MakeTable>
std::string TablesHtml(const std::vector<RunData>& runs, const MakeTable& make,
                       std::string_view style) {
  std::string html;
  const std::vector<std::string> labels = RunLabels(runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs.size() > 1) html += "<h3>" + Escaped(labels[i]) + "</h3>";
    html += TableHtml(make(runs[i]), style);
  }
  return html;
}

std::string DifferencesHtml(const std::vector<RunData>& runs) {
  if (runs.size() < 2) return {};
  const DataTable table = ConfigDifferences(runs);
  return "<section id=\"differences\"><h2>What the configurations differ in</h2>" +
         (table.empty() ? std::string("<p>Nothing.</p>") : TableHtml(table, "keys")) + "</section>";
}

std::string ConfigurationHtml(const std::vector<RunData>& runs) {
  std::string html = "<section><h2>Configuration</h2>";
  const std::vector<std::string> labels = RunLabels(runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    html += "<details><summary>" + Escaped(labels[i] + ": every key") + "</summary><pre>" +
            Escaped(runs[i].config_text) + "</pre></details>";
  }
  return html + "</section>";
}

std::string PageTitle(const std::vector<RunData>& runs) {
  std::string title;
  for (const std::string& label : RunLabels(runs)) title += (title.empty() ? "" : ", ") + label;
  return title;
}

}  // namespace

std::string RenderPage(const std::vector<RunData>& runs,
                       const std::vector<ReportSection>& sections) {
  const std::string style = std::string(PageStyle()) + std::string(FigureStyle());
  const std::string title = Escaped(PageTitle(runs));
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"referrer\" content=\"no-referrer\"><title>{}</title><style>{}</style></head>\n"
      "<body><header><h1>{}</h1></header><main>",
      ContentSecurityPolicy(style, PageScript()), title, style, title);
  html += TableHtml(Facts(runs), "facts", /*row_headers=*/true) + NotesHtml(runs);
  for (size_t i = 0; i < sections.size(); ++i) {
    html += SectionHtml(sections[i]);
    if (i > 0) continue;
    html += "<section><h2>Before and after each stage</h2>" +
            TablesHtml(runs, StageResults, "stages") +
            "<p class=\"small\">Shares of right answers at the end of a stage, with 95 % "
            "intervals.</p></section>" +
            DifferencesHtml(runs);
  }
  html += "<section><h2>Where the time went</h2>" + TablesHtml(runs, TimeTotals, "numbers") +
          "</section>";
  if (const std::string transcripts = TranscriptsHtml(runs); !transcripts.empty()) {
    html += "<section id=\"transcripts\"><h2>Transcripts</h2>" + transcripts + "</section>";
  }
  html +=
      ConfigurationHtml(runs) +
      "</main><footer>Made by ponder report from the files of the run folder. It loads nothing and "
      "needs no network.</footer>";
  return html + "<script>" + std::string(PageScript()) + "</script></body></html>\n";
}

}  // namespace ponder::report
