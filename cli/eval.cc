// `ponder eval RUN`: measures a checkpoint on the run's evaluation sets. Workers and reward
// services do it as in training: it is a run whose only stage is `evaluate`.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/evaluation_experiment.h"
#include "cli/evaluation_report.h"
#include "cli/monitor/console.h"
#include "cli/run_argument.h"
#include "cli/supervisor/launch_plan.h"
#include "cli/supervisor/process_log.h"
#include "cli/supervisor/run_lock.h"
#include "cli/supervisor/run_reporter.h"
#include "cli/supervisor/supervisor.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/usage/option_checks.h"
#include "trainer/checkpoint/checkpoint_writer.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 26;

struct Arguments {
  std::string run;
  std::string step;
  EvaluationChoice choice;
  std::string json_path;
  bool fresh = false;
};

// What an earlier evaluation of exactly this experiment found.
std::optional<nlohmann::json> StoredResult(FileSystem& files, const ExperimentConfig& experiment) {
  const std::string folder = experiment.RunDirectory();
  const std::string result = folder + "/evaluation.json";
  const std::string config = folder + "/config.resolved.yaml";
  if (!files.Exists(result) || !files.Exists(config)) return std::nullopt;
  if (files.ReadFile(config, kMaxFileBytes) != ResolvedYaml(experiment)) return std::nullopt;
  return ParseJsonStrict(files.ReadFile(result, kMaxFileBytes), result, kMaxFileBytes);
}

// Runs the experiment to its end and stores what it found. The exit code of the run.
int Evaluate(FileSystem& files, const ExperimentConfig& experiment, bool fresh, const Log& log,
             std::optional<nlohmann::json>* result) {
  const std::string folder = experiment.RunDirectory();
  const RunLock lock(files, experiment.run);
  const std::string config = folder + "/config.resolved.yaml";
  const bool other =
      files.Exists(config) && files.ReadFile(config, kMaxFileBytes) != ResolvedYaml(experiment);
  if (fresh || other) SetAside(files, folder, log);
  const std::string path = folder + ".yaml";
  WriteFileAtomically(files, path, ResolvedYaml(experiment));
  LaunchPlan plan = MakeLaunchPlan(experiment, path, {}, OwnBinDirectory(), PickFreeLoopbackPort(),
                                   /*live_view=*/false);
  plan.first_attempt = NextAttempt(files, folder);
  const std::string attempt = folder + "/attempts/" + std::to_string(plan.first_attempt);
  files.MakeDirectories(attempt);
  const UniqueFd attempt_log = OpenLog(attempt + "/eval.log");
  Console console(/*live=*/false, attempt_log.get());
  RunReporter reporter(files, experiment, console);
  const ModelInit& init = experiment.models.front().init;
  reporter.Say('I',
               "evaluating " + init.run + " step " + std::to_string(init.step) + " in " + folder);
  const int exit_code = Supervisor(plan, SupervisorLimits{}, files, reporter).Run();
  if (exit_code != 0) return exit_code;
  *result = EvaluationJson(experiment, files.ReadFile(folder + "/metrics.jsonl", kMaxFileBytes));
  WriteFileAtomically(files, folder + "/evaluation.json", (*result)->dump(2) + "\n");
  return 0;
}

int RunEval(const Arguments& arguments) {
  for (const std::string& set : arguments.choice.sets) {
    const size_t equals = set.find('=');
    if (equals == std::string::npos) continue;
    throw Error(Condition::kUsage, "--set " + set.substr(0, equals) +
                                       ": here --set names an evaluation of the run; its keys are "
                                       "those of the run");
  }
  const Log log("eval", -1);
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const RunArgument run = FindRunOrCheckpoint(*files, arguments.run);
  EvaluationChoice choice = arguments.choice;
  choice.step = LoadCheckpointOf(*files, run, arguments.step, log).manifest.step;
  const std::string evaluated = run.run_directory + "/checkpoints/" + CheckpointName(choice.step);
  if (!files->Exists(evaluated)) {
    throw Error(Condition::kUsage, "evaluating " + run.checkpoint +
                                       ": expected one of the run's checkpoints, got the start of "
                                       "a stage");
  }
  const ExperimentConfig experiment =
      EvaluationExperiment(ReadRunExperiment(*files, run.run_directory),
                           std::filesystem::canonical(run.run_directory).string(), choice);

  std::optional<nlohmann::json> result;
  if (!arguments.fresh) result = StoredResult(*files, experiment);
  if (result) {
    log.Info("the stored result of " + experiment.RunDirectory() + " (--fresh evaluates again)");
  } else if (const int code = Evaluate(*files, experiment, arguments.fresh, log, &result);
             code != 0) {
    return code;
  }
  const std::string json = result->dump(2) + "\n";
  if (arguments.json_path == "-") {
    WriteToStdout(json);
    return 0;
  }
  if (!arguments.json_path.empty()) WriteFileAtomically(*files, arguments.json_path, json);
  WriteToStdout(EvaluationTable(*result));
  return 0;
}

}  // namespace

void AddEvalCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "eval", "Measure a run's checkpoint on its evaluation sets: pass@k, maj@k, greedy");
  command->group("Results");
  command->add_option("RUN", arguments->run, "Folder of a run or of a checkpoint, or runs/RUN")
      ->required()
      ->group("Arguments");
  command
      ->add_option("--step", arguments->step,
                   "Which checkpoint: its step, or best [default: the newest]")
      ->group("Evaluation");
  command
      ->add_option("--set", arguments->choice.sets,
                   "Only this evaluation of the run. May be given again")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group("Evaluation");
  command
      ->add_option("--samples", arguments->choice.num_samples,
                   "Sampled answers to each prompt [default: the sets' num_samples]")
      ->check(WholeNumber({.min = 1, .max = 4096}))
      ->group("Evaluation");
  command->add_flag("--fresh", arguments->fresh, "Evaluate again although a result is stored")
      ->group("Evaluation");
  command
      ->add_option("--json", arguments->json_path, "Write the result there too; -: to stdout only")
      ->type_name("FILE")
      ->group("Output");
  command->footer("Example: ponder eval runs/quickstart --set final --samples 64");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunEval(*arguments); }; });
}

}  // namespace ponder
