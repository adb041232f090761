// The command line of the `ponder` program.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ponder {

// What a chosen command does; its value is the exit code.
using CommandBody = std::function<int()>;

// Adds one command to `app`, which sets `*chosen` when the user names it. A command is one file, a
// line here and a line in the table of command_line.cc.
void AddConfigReferenceCommand(CLI::App& app, CommandBody* chosen);
void AddDoctorCommand(CLI::App& app, CommandBody* chosen);
void AddEvalCommand(CLI::App& app, CommandBody* chosen);
void AddGenerateCommand(CLI::App& app, CommandBody* chosen);
void AddInspectCommand(CLI::App& app, CommandBody* chosen);
void AddLogsCommand(CLI::App& app, CommandBody* chosen);
void AddReportCommand(CLI::App& app, CommandBody* chosen);
void AddStatusCommand(CLI::App& app, CommandBody* chosen);
void AddStopCommand(CLI::App& app, CommandBody* chosen);
void AddCompleteCommand(CLI::App& app, CommandBody* chosen);
void AddCompletionCommand(CLI::App& app, CommandBody* chosen);
void AddExitCodesCommand(CLI::App& app, CommandBody* chosen);
void AddNewCommand(CLI::App& app, CommandBody* chosen);
void AddUpCommand(CLI::App& app, CommandBody* chosen);
void AddValidateCommand(CLI::App& app, CommandBody* chosen);

// The whole command line; parsing it sets `*chosen`, which must outlive it, and the body of some
// commands refers to it.
std::unique_ptr<CLI::App> MakeCommandLine(CommandBody* chosen);

// The arguments that every command about an experiment takes: FILE and any number of --set
// KEY=VALUE. Both must live until the body has run.
void AddExperimentArguments(CLI::App& command, std::string* path,
                            std::vector<std::string>* overrides);

// Parses, runs the command and returns the exit code. Errors end up on stderr: problems of an
// experiment file as they are, one a line, others after "ponder: error:". Never throws.
int RunCommandLine(int argc, const char* const* argv);

// Writes to stdout and flushes. Throws Error(kIo) when not all of it could be written.
void WriteToStdout(const std::string& text);

}  // namespace ponder
