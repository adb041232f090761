// `ponder complete KIND PREFIX [WORD...]`: names that only the program knows, for the scripts of
// `ponder completion`. Not in --help: nobody else needs it.
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/completion/experiment_keys.h"
#include "cli/find_run.h"
#include "core/base/error.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

struct Arguments {
  std::string kind;
  std::string prefix;
  std::vector<std::string> words;  // of the command line so far
};

// Of the first word that is an experiment; a file that cannot be read has none.
std::vector<std::string> ExperimentKeys(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (!word.ends_with(".yaml") && !word.ends_with(".yml")) continue;
    try {
      return KeysOf(ReadExperiment(word, {}));
    } catch (const Error&) {
      return {};
    }
  }
  return {};
}

std::vector<std::string> RunNames() {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  std::vector<std::string> names;
  for (const std::string& run : AllRuns(*files)) {
    names.push_back(NameOfRun(run));
  }
  return names;
}

int RunComplete(const Arguments& arguments) {
  std::string text;
  for (const std::string& name :
       arguments.kind == "runs" ? RunNames() : ExperimentKeys(arguments.words)) {
    if (name.starts_with(arguments.prefix)) text += name + "\n";
  }
  WriteToStdout(text);
  return 0;
}

}  // namespace

void AddCompleteCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("complete", "Names for the scripts of completion");
  command->group("");
  command->add_option("KIND", arguments->kind)->required()->check(OneOf({"runs", "keys"}));
  command->add_option("PREFIX", arguments->prefix)->required();
  command->add_option("WORD", arguments->words);
  command->callback(
      [arguments, chosen] { *chosen = [arguments] { return RunComplete(*arguments); }; });
}

}  // namespace ponder
