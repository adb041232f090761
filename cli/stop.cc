// `ponder stop RUN`: asks a run to save and stop, and waits until it has.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "cli/command_line.h"
#include "cli/find_run.h"
#include "cli/run_folder.h"
#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

using std::chrono::steady_clock;

struct Arguments {
  std::string run;
  bool now = false;
  double timeout_s = 60;
};

// What a start would go on from.
std::string SavedText(const RunView& run) {
  const RunProgress& progress = run.progress;
  if (run.status.state == RunPhase::kFinished) return "it had finished";
  if (progress.saved_step < 0) return "nothing is saved but the start of its stage";
  std::string text = "saved at step " + std::to_string(progress.saved_step);
  const int64_t later = progress.run_step - progress.saved_step;
  if (later <= 0) return text;
  return text + "; the next start repeats the " + std::to_string(later) + " steps after it";
}

int RunStop(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const std::string folder = FindRun(*files, arguments.run);
  RunView run = ReadRun(*files, folder);
  if (!RunLock::IsHeld(folder)) {
    WriteToStdout(run.name + " does not run here: " + std::string(NameOf(run.status.state)) + "\n");
    return 0;
  }
  const ProcessIdentity supervisor = run.status.supervisor;
  if (!ReadLiving(supervisor)) {
    throw Error(Condition::kUnavailable,
                "stop of " + run.name + ": its 'ponder up' has only begun (try again)");
  }
  // A second signal makes the supervisor kill what does not stop at once; two of one kind could be
  // merged into one.
  if (arguments.now) kill(supervisor.pid, SIGINT);
  kill(supervisor.pid, SIGTERM);
  const auto begin = steady_clock::now();
  while (RunLock::IsHeld(folder) && ReadLiving(supervisor)) {
    if (steady_clock::now() - begin > std::chrono::duration<double>(arguments.timeout_s)) {
      throw Error(Condition::kDeadline,
                  "stop of " + run.name + ": it was asked to, but still runs after " +
                      std::to_string(static_cast<int64_t>(arguments.timeout_s)) +
                      " s (it goes on saving; 'ponder stop --now' kills it)");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  run = ReadRun(*files, folder);
  const std::string stage = StageText(run.progress);
  WriteToStdout(run.name + " stopped" + (stage.empty() ? "" : " in stage " + stage) + "; " +
                SavedText(run) + "\n");
  return 0;
}

}  // namespace

void AddStopCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("stop", "Save and stop a run");
  command->group("Runs");
  command->add_option("RUN", arguments->run, "A run folder, or a name below runs/")
      ->required()
      ->group("Arguments");
  command->add_flag("--now", arguments->now, "Kill it without saving");
  command->add_option("--timeout", arguments->timeout_s, "Seconds to wait until it has stopped")
      ->check(RealNumber({.min = 0, .max = 86'400}))
      ->capture_default_str();
  command->footer(
      "Exit code: 0 it does not run any more, 75 it still runs after the timeout.\n"
      "Example: ponder stop quickstart");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunStop(*arguments); }; });
}

}  // namespace ponder
