// `ponder exit-codes`: what the programs' exit codes mean; into a file or a pipe as Markdown, which
// is docs/exit_codes.md.
#include "core/base/exit_codes.h"

#include <unistd.h>

#include <string>

#include "cli/command_line.h"
#include "cli/text_page.h"

namespace ponder {
namespace {

std::string ExitCodesMarkdown() {
  std::string text =
      "# Exit codes\n\n"
      "All programs end with one of these. `ponder exit-codes` prints this page.\n\n"
      "| code | meaning | what to do |\n|---|---|---|\n";
  for (const ExitCodeRow& row : ExitCodes()) {
    text += "| " + std::to_string(row.code) + " | " + std::string(row.meaning) + " | " +
            std::string(row.advice) + " |\n";
  }
  return text;
}

std::string ExitCodesText() {
  constexpr size_t kCodeColumns = 5;
  TextPage page(StyleOfStdout());
  page.Title("Exit codes of all programs");
  for (const ExitCodeRow& row : ExitCodes()) {
    page.Item(std::to_string(row.code),
              std::string(row.meaning) + (row.advice.empty() ? "" : ": ") + std::string(row.advice),
              kCodeColumns);
  }
  return page.text();
}

}  // namespace

void AddExitCodesCommand(CLI::App& app, CommandBody* chosen) {
  CLI::App* command =
      app.add_subcommand("exit-codes", "Print what the exit codes mean (docs/exit_codes.md)");
  command->group("Documentation");
  command->footer("Example: ponder exit-codes");
  command->callback([chosen] {
    *chosen = [] {
      WriteToStdout(isatty(STDOUT_FILENO) != 0 ? ExitCodesText() : ExitCodesMarkdown());
      return 0;
    };
  });
}

}  // namespace ponder
