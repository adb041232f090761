// The commands and options of the program, as completion needs them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace ponder {

// What may follow where a word is no option.
enum class Operand { kNothing, kChoice, kExperiment, kRun };

struct CompletedOption {
  std::vector<std::string> names;  // "--help", "-h"
  std::string help;                // one line
  bool takes_value = false;
  bool takes_key = false;  // a value that begins with a key of the experiment
};

struct CompletedCommand {
  std::string name;
  std::string help;  // one line
  std::vector<CompletedOption> options;
  Operand operand = Operand::kNothing;
  std::vector<std::string> choices;  // of Operand::kChoice
};

// The program itself, with an empty list of commands before it: options of the program alone.
struct CommandTree {
  std::vector<CompletedOption> options;
  std::vector<CompletedCommand> commands;
};

// Reads the declarations of `app`; what is hidden (an empty group) is left out.
CommandTree ReadCommandTree(const CLI::App& app);

}  // namespace ponder
