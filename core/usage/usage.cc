#include "core/usage/usage.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

// Below this width a column for the names of options would leave too little for what they do.
constexpr size_t kTwoColumns = 60;
constexpr size_t kHelpColumn = 28;
constexpr size_t kNarrowHelpColumn = 6;

// Breaks a line at spaces; what follows the first break is indented by `indent`.
std::string Wrapped(std::string line, size_t indent, size_t columns) {
  std::string text;
  while (line.size() > columns) {
    const size_t space = line.rfind(' ', columns);
    // A word longer than the space that is left stays whole.
    if (space == std::string::npos || line.find_first_not_of(' ') > space) break;
    text += line.substr(0, line.find_last_not_of(' ', space) + 1) + "\n";
    line = std::string(indent, ' ') + line.substr(space + 1);
  }
  return text + line;
}

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(size_t columns)
      : columns_(columns), help_column_(columns < kTwoColumns ? kNarrowHelpColumn : kHelpColumn) {
    column_width(help_column_);
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::istringstream lines(CLI::Formatter::make_help(app, std::move(name), mode));
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      // Groups end with an empty line and begin with one.
      if (line.empty() && text.ends_with("\n\n")) continue;
      text += Wrapped(line, line.starts_with("  ") ? help_column_ : 2, columns_) + "\n";
    }
    return text;
  }

 private:
  const size_t columns_;
  const size_t help_column_;
};

// The command that the user named, else the program.
const CLI::App& Named(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

// Those that --help shows, or all.
std::vector<std::string> OptionNames(const CLI::App& app, bool with_hidden) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() && !with_hidden) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// "no option '--worker'; did you mean ..." for the first one that does not exist; empty otherwise.
std::string OptionHint(const CLI::App& app, int argc, const char* const* argv) {
  const std::vector<std::string> known = OptionNames(app, /*with_hidden=*/true);
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string argument(argv[i]);
    const std::string name = argument.substr(0, argument.find('='));
    // Not an option, or a negative number, or short ones run together.
    if (!name.starts_with("-") || name.size() < 2) continue;
    if (!name.starts_with("--") && (name.size() > 2 || std::isdigit(name[1]) != 0)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return "no option '" + name + "'" +
           NameHint(name, OptionNames(app, /*with_hidden=*/false), "the options are");
  }
  return {};
}

// "no command 'validat'; did you mean 'validate'?" when the first word should be a command and is
// none; empty otherwise.
std::string CommandHint(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  if (names.empty() || argc < 2 || argv[1][0] == '-') return {};
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return {};
  return "no command '" + std::string(argv[1]) + "'" + NameHint(argv[1], names, "the commands are");
}

// "expected FILE alone, got the argument 'b.yaml' too" for an argument that has no place.
std::string ExtraHint(const CLI::App& app) {
  std::string places;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) places += (places.empty() ? "" : " ") + option->get_name(true);
  }
  const std::string extra = app.remaining().front();
  return "expected " + (places.empty() ? "no argument, got '" + extra + "'"
                                       : places + " alone, got the argument '" + extra + "' too");
}

}  // namespace

size_t TerminalColumns(size_t least, size_t most) {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::clamp<size_t>(size.ws_col, least, most) : 80;
}

void UseHelpStyle(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>(TerminalColumns(40, 80)));
}

int ReportUsage(const CLI::App& app, const CLI::ParseError& error, int argc,
                const char* const* argv) {
  // --help and --version come as errors too.
  if (error.get_exit_code() == 0) return app.exit(error);
  std::string text = CommandHint(app, argc, argv);
  if (text.empty()) text = OptionHint(Named(app), argc, argv);
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (text.empty()) text = is_extra ? ExtraHint(Named(app)) : error.what();
  const std::string name =
      &Named(app) == &app ? app.get_name() : app.get_name() + " " + Named(app).get_name();
  std::fprintf(stderr, "%s: error: %s\nRun '%s --help' for what there is.\n",
               app.get_name().c_str(), text.c_str(), name.c_str());
  return RowOf(Condition::kUsage).exit_code;
}

}  // namespace ponder
