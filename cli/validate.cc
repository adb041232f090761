// `ponder validate FILE`: tells what is wrong with an experiment, or prints it with every key
// written out. Starts nothing and writes no file.
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "core/config/experiment.h"

namespace ponder {

void AddValidateCommand(CLI::App& app, CommandBody* chosen) {
  struct Arguments {
    std::string path;
    std::vector<std::string> overrides;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "validate", "Check an experiment and print it with every key; starts nothing");
  command->group("Experiments");
  AddExperimentArguments(*command, &arguments->path, &arguments->overrides);
  command->footer("Example: ponder validate configs/quickstart.yaml --set run.seed=2");
  command->callback([arguments, chosen] {
    *chosen = [arguments] {
      WriteToStdout(ResolvedYaml(ReadExperiment(arguments->path, arguments->overrides)));
      return 0;
    };
  });
}

}  // namespace ponder
