// `ponder inspect PATH`: what a run, a checkpoint, weights or an experiment are, whether they are
// whole, and what a start of the run would do. Reads only.
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console_text.h"
#include "cli/find_run.h"
#include "cli/inspect/render.h"
#include "cli/inspect/target.h"
#include "cli/supervisor/launch_plan.h"
#include "core/base/error.h"
#include "core/base/file.h"

namespace ponder {
namespace {

struct Arguments {
  std::string path;
  std::vector<std::string> overrides;
  bool as_json = false;
  ContentsWanted wanted;
};

// Names from files may not be valid UTF-8; the escapes of JSON keep a terminal safe.
std::string JsonText(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace) + "\n";
}

template <typename Facts>
int Show(const Facts& facts, bool is_sound, bool as_json) {
  WriteToStdout(as_json ? JsonText(JsonOf(facts)) : TextOf(facts, StyleOfStdout()));
  return is_sound ? 0 : RowOf(Condition::kBadData).exit_code;
}

// A word that is no path and no file's name is the name of a run.
std::string TargetOf(FileSystem& files, std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const bool is_path = path.find('/') != std::string::npos || path.ends_with(".yaml") ||
                       path.ends_with(".yml") || path.ends_with(".safetensors");
  return is_path || files.Exists(path) ? path : FindRun(files, path);
}

// Options that mean nothing for what `path` is.
void CheckOptions(TargetKind kind, const Arguments& arguments) {
  const std::string& path = arguments.path;
  const bool is_run = kind == TargetKind::kRun;
  const bool is_experiment = kind == TargetKind::kExperiment;
  if (!arguments.overrides.empty() && !is_experiment) {
    throw Error(Condition::kUsage, "--set changes a key of an experiment, and " + Printable(path) +
                                       " is none (name the .yaml file)");
  }
  if ((arguments.wanted.digests || arguments.wanted.statistics) && (is_run || is_experiment)) {
    throw Error(
        Condition::kUsage,
        "--digests and --stats look into weights, and " + Printable(path) + " is " +
            (is_run ? "a run (name one of its checkpoints)" : "an experiment (name a checkpoint)"));
  }
}

int RunInspect(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const std::string path = TargetOf(*files, arguments.path);
  const TargetKind kind = KindOf(*files, path);
  CheckOptions(kind, arguments);
  switch (kind) {
    case TargetKind::kWeightsFile: {
      const WeightsFacts facts = SurveyWeightsFile(*files, path, arguments.wanted);
      return Show(facts, facts.IsSound(), arguments.as_json);
    }
    case TargetKind::kModelFolder: {
      const WeightsFacts facts = SurveyModelFolder(*files, path, arguments.wanted);
      return Show(facts, facts.IsSound(), arguments.as_json);
    }
    case TargetKind::kCheckpoint: {
      const CheckpointFacts facts = SurveyCheckpoint(*files, path, arguments.wanted);
      return Show(facts, facts.IsWhole(), arguments.as_json);
    }
    case TargetKind::kRun: {
      const RunFacts facts = SurveyRun(*files, path);
      return Show(facts, facts.IsSound(), arguments.as_json);
    }
    case TargetKind::kExperiment:
      break;
  }
  const ExperimentFacts facts =
      SurveyExperiment(*files, path, arguments.overrides, OwnBinDirectory());
  return Show(facts, /*is_sound=*/true, arguments.as_json);
}

}  // namespace

void AddInspectCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Show a run, checkpoint, weights or experiment, and verify every byte");
  command->group("Looking at things");
  command
      ->add_option("PATH", arguments->path,
                   "A run folder or a name below runs/, a checkpoint, a stage's start, a model "
                   "folder, a .safetensors file or an experiment")
      ->required()
      ->group("Arguments");
  command->add_flag("--json", arguments->as_json, "As JSON, with everything");
  command->add_flag("--digests", arguments->wanted.digests, "Weights: SHA-256 of each tensor");
  command->add_flag("--stats", arguments->wanted.statistics,
                    "Weights: minimum, maximum, mean, NaN and infinity counts of each tensor");
  command
      ->add_option("--set", arguments->overrides, "Experiments: change a key. May be given again")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->footer(
      "Exit code 65 when anything is damaged.\n"
      "Example: ponder inspect runs/quickstart");
  command->callback(
      [arguments, chosen] { *chosen = [arguments] { return RunInspect(*arguments); }; });
}

}  // namespace ponder
