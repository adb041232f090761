#include "cli/completion/command_tree.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <sstream>

namespace ponder {
namespace {

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::vector<CompletedOption> OptionsOf(const CLI::App& app) {
  std::vector<CompletedOption> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->get_group().empty()) continue;
    CompletedOption& completed = options.emplace_back();
    for (const std::string& name : option->get_lnames()) completed.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) completed.names.push_back("-" + name);
    completed.help = FirstLine(option->get_description());
    completed.takes_value = option->get_items_expected_max() > 0;
    completed.takes_key = option->get_type_name() == "KEY=VALUE";
  }
  return options;
}

// The names of a check for membership, which ends the type's text as "{a,b}".
std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::istringstream list(type.substr(open + 1, close - open - 1));
  std::vector<std::string> choices;
  for (std::string choice; std::getline(list, choice, ',');) choices.push_back(choice);
  return choices;
}

void ReadOperand(const CLI::App& app, CompletedCommand* command) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    command->choices = ChoicesOf(*option);
    if (!command->choices.empty()) {
      command->operand = Operand::kChoice;
    } else if (option->get_name() == "FILE") {
      command->operand = Operand::kExperiment;
    } else {
      command->operand = Operand::kRun;
    }
    return;
  }
}

}  // namespace

CommandTree ReadCommandTree(const CLI::App& app) {
  CommandTree tree;
  tree.options = OptionsOf(app);
  for (const CLI::App* subcommand : app.get_subcommands({})) {
    if (subcommand->get_group().empty()) continue;
    CompletedCommand& command = tree.commands.emplace_back();
    command.name = subcommand->get_name();
    command.help = FirstLine(subcommand->get_description());
    command.options = OptionsOf(*subcommand);
    ReadOperand(*subcommand, &command);
  }
  return tree;
}

}  // namespace ponder
