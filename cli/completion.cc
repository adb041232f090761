// `ponder completion SHELL`: a script that completes commands, options and experiment files.
#include <memory>
#include <string>

#include "cli/command_line.h"
#include "cli/completion/shell_scripts.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

std::string Script(const std::string& shell, const CLI::App& app) {
  const CommandTree tree = ReadCommandTree(app);
  if (shell == "bash") return BashCompletion(tree);
  return shell == "zsh" ? ZshCompletion(tree) : FishCompletion(tree);
}

}  // namespace

void AddCompletionCommand(CLI::App& app, CommandBody* chosen) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print a script that makes a shell complete commands");
  command->group("Documentation");
  command->add_option("SHELL", *shell, "Which shell reads it")
      ->required()
      ->check(OneOf({"bash", "zsh", "fish"}))
      ->group("Arguments");
  command->footer(
      "For every new bash or zsh, add the line of the example to ~/.bashrc, or with zsh to "
      "~/.zshrc "
      "after compinit. For every new fish:\n"
      "  ponder completion fish > ~/.config/fish/completions/ponder.fish\n"
      "Example: source <(ponder completion bash)");
  command->callback([shell, chosen, &app] {
    *chosen = [shell, &app] {
      WriteToStdout(Script(*shell, app));
      return 0;
    };
  });
}

}  // namespace ponder
