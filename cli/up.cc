// `ponder up FILE`: a whole run on one machine. Starts trainer, workers and reward services, and
// stays until the run has ended; its exit code is the run's.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/detach.h"
#include "cli/monitor/console.h"
#include "cli/supervisor/launch_plan.h"
#include "cli/supervisor/process_log.h"
#include "cli/supervisor/run_lock.h"
#include "cli/supervisor/run_reporter.h"
#include "cli/supervisor/supervisor.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/config/experiment.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

struct Arguments {
  std::string path;
  std::vector<std::string> overrides;
  bool fresh = false;
  bool detach = false;
  std::optional<int64_t> num_workers;
  std::optional<int64_t> num_ranks;
};

// From here on this process is the run's supervisor.
int Supervise(FileSystem& files, const ExperimentConfig& config, const LaunchPlan& plan, bool live,
              int log_fd) {
  Console console(live, log_fd);
  RunReporter reporter(files, config, console);
  reporter.Say('I', "run " + config.run.name + ": trainer with " +
                        std::to_string(config.launch.trainer_ranks) +
                        " ranks on 127.0.0.1:" + std::to_string(plan.trainer_port) +
                        ", workers: " + std::to_string(config.launch.workers) +
                        ", reward services: " + std::to_string(config.launch.reward_services) +
                        ", logs in " + config.RunDirectory() + "/attempts");
  return Supervisor(plan, SupervisorLimits{}, files, reporter).Run();
}

int RunUp(const Arguments& arguments) {
  std::vector<std::string> overrides = arguments.overrides;
  if (arguments.num_workers) {
    overrides.push_back("launch.workers=" + std::to_string(*arguments.num_workers));
  }
  if (arguments.num_ranks) {
    overrides.push_back("launch.trainer_ranks=" + std::to_string(*arguments.num_ranks));
  }
  const ExperimentConfig config = ReadExperiment(arguments.path, overrides);
  const bool live = !arguments.detach && WantsLiveView();
  LaunchPlan plan = MakeLaunchPlan(config, arguments.path, overrides, OwnBinDirectory(),
                                   PickFreeLoopbackPort(), live);
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const RunLock lock(*files, config.run);
  if (arguments.fresh) SetAside(*files, config.RunDirectory(), Log("up", -1));
  plan.first_attempt = NextAttempt(*files, config.RunDirectory());
  const std::string attempt_folder =
      config.RunDirectory() + "/attempts/" + std::to_string(plan.first_attempt);
  files->MakeDirectories(attempt_folder);
  const std::string log_path = attempt_folder + "/up.log";
  if (!arguments.detach) {
    const UniqueFd log = OpenLog(log_path);
    return Supervise(*files, config, plan, live, log.get());
  }
  const int code = RunDetached(*files, config.RunDirectory(), log_path, [&] {
    return Supervise(*files, config, plan, live, /*log_fd=*/-1);
  });
  if (code == 0) {
    const std::string& folder = config.RunDirectory();
    std::fprintf(stderr,
                 "%s is up in the background.\n"
                 "  ponder status %s     how it is doing\n"
                 "  ponder logs -f %s    what it writes\n"
                 "  ponder stop %s       save and stop\n",
                 config.run.name.c_str(), folder.c_str(), folder.c_str(), folder.c_str());
  }
  return code;
}

}  // namespace

void AddUpCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "up", "Run an experiment on this machine; again: go on, or show the result");
  command->group("Experiments");
  AddExperimentArguments(*command, &arguments->path, &arguments->overrides);
  command->add_flag("--fresh", arguments->fresh,
                    "Start a new run; the old folder is kept under another name");
  command->add_flag("-d,--detach", arguments->detach,
                    "Return once the run is healthy; it goes on in the background");
  command->add_option("--workers", arguments->num_workers, "Instead of launch.workers")
      ->check(WholeNumber({.min = 1, .max = 1024}));
  command->add_option("--ranks", arguments->num_ranks, "Instead of launch.trainer_ranks")
      ->check(WholeNumber({.min = 1, .max = 1024}));
  command->footer("Example: ponder up configs/quickstart.yaml --workers 2");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunUp(*arguments); }; });
}

}  // namespace ponder
