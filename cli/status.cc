// `ponder status [RUN...]`: how runs are doing, from their folders.
#include <unistd.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/find_run.h"
#include "cli/monitor/console.h"
#include "cli/monitor/render_table.h"
#include "cli/run_folder.h"
#include "core/base/error.h"

namespace ponder {
namespace {

struct Arguments {
  std::vector<std::string> runs;
  bool json = false;
};

// What a script wants to know of a run that it named: 0 while it goes on or has finished, the run's
// own code when it failed, and "start me again" when it stopped short of its end.
int ExitCodeOf(const RunStatus& status) {
  switch (status.state) {
    case RunPhase::kStarting:
    case RunPhase::kRunning:
    case RunPhase::kStopping:
    case RunPhase::kFinished:
    case RunPhase::kUnsupervised:
      return 0;
    case RunPhase::kFailed:
      return static_cast<int>(status.exit_code);
    case RunPhase::kStopped:
    case RunPhase::kKilled:
      return RowOf(Condition::kPreempted).exit_code;
  }
  return 0;
}

std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

int RunStatusCommand(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  std::vector<std::string> folders;
  for (const std::string& run : arguments.runs) folders.push_back(FindRun(*files, run));
  if (arguments.runs.empty()) folders = AllRuns(*files);
  std::vector<RunView> runs;
  for (const std::string& folder : folders) runs.push_back(ReadRun(*files, folder));

  TextStyle style = TextStyleOf(STDOUT_FILENO);
  style.height = std::numeric_limits<size_t>::max();
  if (arguments.json) {
    WriteToStdout(RunsToJson(runs));
  } else if (runs.empty()) {
    WriteToStdout(std::string("no runs below ") + kRunsFolder + "/\n");
  } else if (arguments.runs.size() == 1) {
    WriteToStdout(Lines(RenderRun(runs.front(), style)));
  } else {
    WriteToStdout(Lines(RenderRunTable(runs, style)));
  }
  for (size_t i = 0; i < arguments.runs.size(); ++i) {
    if (const int code = ExitCodeOf(runs[i].status); code != 0) return code;
  }
  return 0;
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("status", "Show how runs are doing");
  command->group("Runs");
  command
      ->add_option("RUN", arguments->runs,
                   "Run folders, or names below runs/; without one, all runs there")
      ->group("Arguments");
  command->add_flag("--json", arguments->json, "Everything that is known, as JSON");
  command->footer(
      "Exit code, for the runs that are named: 0 running or finished; of the first that is not: 75 "
      "stopped or killed (start it again to go on), or the code that it failed with.\n"
      "Example: ponder status quickstart");
  command->callback(
      [arguments, chosen] { *chosen = [arguments] { return RunStatusCommand(*arguments); }; });
}

}  // namespace ponder
