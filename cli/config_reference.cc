// `ponder config-reference`: all keys of experiment files as Markdown, which is configs/README.md.
#include "cli/command_line.h"
#include "core/config/experiment.h"

namespace ponder {

void AddConfigReferenceCommand(CLI::App& app, CommandBody* chosen) {
  CLI::App* command = app.add_subcommand(
      "config-reference", "Print every key of experiment files, as Markdown (configs/README.md)");
  command->group("Documentation");
  command->footer("Example: ponder config-reference > configs/README.md");
  command->callback([chosen] {
    *chosen = [] {
      WriteToStdout(ConfigReferenceMarkdown());
      return 0;
    };
  });
}

}  // namespace ponder
