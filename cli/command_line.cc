#include "cli/command_line.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include "core/base/error.h"
#include "core/base/program.h"
#include "core/usage/usage.h"

namespace ponder {
namespace {

using AddCommand = void (*)(CLI::App& app, CommandBody* chosen);

// Every command of the program, in the order of --help.
constexpr AddCommand kCommands[] = {
    AddUpCommand,        AddValidateCommand,   AddStatusCommand,   AddStopCommand,
    AddLogsCommand,      AddInspectCommand,    AddReportCommand,   AddEvalCommand,
    AddGenerateCommand,  AddDoctorCommand,     AddNewCommand,      AddConfigReferenceCommand,
    AddExitCodesCommand, AddCompletionCommand, AddCompleteCommand,
};

int Run(int argc, const char* const* argv) {
  CommandBody chosen;
  const std::unique_ptr<CLI::App> app = MakeCommandLine(&chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(*app, error, argc, argv);
  }
  return chosen();
}

}  // namespace

std::unique_ptr<CLI::App> MakeCommandLine(CommandBody* chosen) {
  auto app = std::make_unique<CLI::App>(
      "Teaches language models to reason by reinforcement learning.", "ponder");
  app->set_version_flag("--version", VersionText("ponder"));
  UseHelpStyle(*app);
  app->footer(
      "First steps: ponder doctor, then ponder up configs/quickstart.yaml, then ponder report "
      "quickstart.\n"
      "Exit codes: 0 done, 2 wrong command line or experiment, 75 start again; all of them: ponder "
      "exit-codes. Completion: ponder completion --help\n\n"
      "Example: ponder up configs/quickstart.yaml");
  app->require_subcommand(1);
  for (const AddCommand add : kCommands) add(*app, chosen);
  return app;
}

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
