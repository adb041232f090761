// `ponder inspect PATH`: what a run, a checkpoint, weights or an experiment are, whether they are
// whole, and what a start of the run would do. Reads only.
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console_text.h"
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

int RunInspect(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  std::string path = arguments.path;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  switch (KindOf(*files, path)) {
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
                   "A run folder, a checkpoint, a stage's start, a model folder, a .safetensors "
                   "file or an experiment")
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
