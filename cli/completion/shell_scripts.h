// Completion scripts of the three common shells.
#pragma once

#include <string>

#include "cli/completion/command_tree.h"

namespace ponder {

// Each is a whole script, to be read by the shell of its name. Pure.
std::string BashCompletion(const CommandTree& tree);
std::string ZshCompletion(const CommandTree& tree);
std::string FishCompletion(const CommandTree& tree);

}  // namespace ponder
