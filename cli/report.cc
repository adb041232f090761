// `ponder report RUN...`: what runs did, as one HTML page and as SVG files. Reads the run folders
// only; a run that is still going, or was killed, gets the report of what there is.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/find_run.h"
#include "cli/report/figures.h"
#include "cli/report/page.h"
#include "cli/report/run_data.h"
#include "core/base/error.h"
#include "core/base/file.h"

namespace ponder {
namespace {

using report::Figure;
using report::ReportSection;
using report::RunData;

// Beyond so many, lines can no longer be told apart.
constexpr size_t kMaxRuns = 12;
// Transcripts of all runs together: about 2 MB of the page.
constexpr size_t kMaxTranscriptTokens = 40'000;

struct Arguments {
  std::vector<std::string> runs;
  std::string out;
};

struct OutputPaths {
  std::string folder;   // of the page
  std::string page;     // an HTML file
  std::string figures;  // a folder
};

// "x.html" names the page; any other name is a folder for both. Without a name: the folder `report`
// of the run, or for several runs of the working directory.
OutputPaths PathsOf(const std::string& out, const std::vector<std::string>& run_folders) {
  if (out.ends_with(".html")) {
    const size_t slash = out.rfind('/');
    const std::string stem = out.substr(0, out.size() - std::string(".html").size());
    return {.folder = slash == std::string::npos ? "." : out.substr(0, slash + 1),
            .page = out,
            .figures = stem + "_figures"};
  }
  std::string folder = out;
  if (folder.empty()) folder = run_folders.size() == 1 ? run_folders[0] + "/report" : "report";
  return {.folder = folder, .page = folder + "/report.html", .figures = folder + "/figures"};
}

int RunReport(const Arguments& arguments) {
  if (arguments.runs.size() > kMaxRuns) {
    throw Error(Condition::kUsage,
                fmt::format("comparing runs: expected at most {} of them, got {}", kMaxRuns,
                            arguments.runs.size()));
  }
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  std::vector<std::string> folders;
  for (const std::string& run : arguments.runs) folders.push_back(FindRun(*files, run));
  std::vector<RunData> runs;
  for (const std::string& folder : folders) {
    runs.push_back(report::ReadRun(*files, folder));
    report::ReadTranscripts(*files, kMaxTranscriptTokens / folders.size(), &runs.back());
    for (const std::string& note : runs.back().notes) {
      std::fprintf(stderr, "%s: %s\n", folder.c_str(), note.c_str());
    }
  }
  const std::vector<ReportSection> sections = report::MakeFigures(runs);
  const OutputPaths paths = PathsOf(arguments.out, folders);
  files->MakeDirectories(paths.folder);
  files->MakeDirectories(paths.figures);
  size_t num_figures = 0;
  for (const ReportSection& section : sections) {
    for (const Figure& figure : section.figures) {
      WriteFileAtomically(*files, paths.figures + "/" + figure.drawing.id + ".svg",
                          report::StandaloneSvg(figure.drawing));
      ++num_figures;
    }
  }
  const std::string page = report::RenderPage(runs, sections);
  WriteFileAtomically(*files, paths.page, page);
  std::fprintf(stderr, "%zu figures in %s, page of %.1f kB\n", num_figures, paths.figures.c_str(),
               static_cast<double>(page.size()) / 1e3);
  WriteToStdout(paths.page + "\n");
  return 0;
}

}  // namespace

void AddReportCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "report", "Show what runs did: an HTML page that needs no network, and SVG files");
  command->group("Runs");
  command
      ->add_option("RUN", arguments->runs,
                   "Run folders, or names below runs/; several are compared")
      ->required()
      ->group("Arguments");
  command
      ->add_option(
          "--out", arguments->out,
          "The page (x.html), or a folder for it; default: RUN/report, for several runs report")
      ->type_name("FILE|DIR");
  command->footer("Example: ponder report runs/quickstart");
  command->callback(
      [arguments, chosen] { *chosen = [arguments] { return RunReport(*arguments); }; });
}

}  // namespace ponder
