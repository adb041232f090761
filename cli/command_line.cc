#include "cli/command_line.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/base/error.h"
#include "core/base/program.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

using AddCommand = void (*)(CLI::App& app, CommandBody* chosen);

// Every command of the program, in the order of --help.
constexpr AddCommand kCommands[] = {
    AddUpCommand,       AddValidateCommand, AddStatusCommand,          AddStopCommand,
    AddLogsCommand,     AddInspectCommand,  AddReportCommand,          AddEvalCommand,
    AddGenerateCommand, AddDoctorCommand,   AddConfigReferenceCommand,
};

int UsageCode() { return RowOf(Condition::kUsage).exit_code; }

// "; did you mean 'validate'?" when the first word is no command; empty otherwise.
std::string CommandHint(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == argv[1]) return {};
    names.push_back(command->get_name());
  }
  return "no command '" + std::string(argv[1]) + "'" + NameHint(argv[1], names, "the commands are");
}

int ReportUsage(const CLI::App& app, const CLI::ParseError& error, int argc,
                const char* const* argv) {
  // --help and --version come as errors too.
  if (error.get_exit_code() == 0) {
    return app.exit(error);
  }
  const std::string hint = CommandHint(app, argc, argv);
  std::fprintf(stderr, "ponder: error: %s\nRun 'ponder --help' for what there is.\n",
               hint.empty() ? error.what() : hint.c_str());
  return UsageCode();
}

int Run(int argc, const char* const* argv) {
  CLI::App app("Teaches language models to reason by reinforcement learning.", "ponder");
  app.set_version_flag("--version", VersionText("ponder"));
  app.get_formatter()->column_width(28);
  app.require_subcommand(1);
  CommandBody chosen;
  for (const AddCommand add : kCommands) add(app, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, argc, argv);
  }
  return chosen();
}

}  // namespace

void AddExperimentArguments(CLI::App& command, std::string* path,
                            std::vector<std::string>* overrides) {
  command.add_option("FILE", *path, "The experiment, a YAML file")->required()->group("Arguments");
  command
      .add_option("--set", *overrides,
                  "Changes a key: stages.reason.num_steps=10. May be given again")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group("Experiment");
}

int RunCommandLine(int argc, const char* const* argv) {
  // gRPC is not started here: `ponder up` forks, and most commands never need it.
  try {
    return Run(argc, argv);
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  } catch (const Error& error) {
    std::fprintf(stderr, "ponder: error: %s\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ponder: internal error: %s\n", error.what());
    return RowOf(Condition::kInternal).exit_code;
  }
}

void WriteToStdout(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error(Condition::kIo, std::string("writing to stdout: ") + std::strerror(errno));
  }
}

}  // namespace ponder
