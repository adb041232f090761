// `ponder new KIND NAME`: adds an algorithm, a task or a reward to a checkout of the sources.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/new/scaffold.h"
#include "core/base/error.h"
#include "core/config/experiment_schema.h"
#include "core/config/nearest_name.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

struct Arguments {
  std::string kind;
  std::string name;
  std::string root = ".";
};

NewKind KindOf(const std::string& name) {
  if (name == "algorithm") return NewKind::kAlgorithm;
  return name == "task" ? NewKind::kTask : NewKind::kReward;
}

// Before anything else: a name that this program knows is taken in every clone.
void CheckNameIsFree(const Arguments& arguments) {
  const std::vector<std::string> names = NamesOf(arguments.kind == "algorithm" ? AlgorithmKinds()
                                                 : arguments.kind == "task"    ? TaskKinds()
                                                                               : RewardKinds());
  if (std::find(names.begin(), names.end(), arguments.name) == names.end()) return;
  throw Error(Condition::kUsage, "NAME: '" + arguments.name + "' is taken; there are " +
                                     JoinNames(names) + " (choose another name)");
}

int RunNew(const Arguments& arguments) {
  CheckNameIsFree(arguments);
  const Scaffold scaffold = MakeScaffold(KindOf(arguments.kind), arguments.name);
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  WriteScaffold(*files, arguments.root, scaffold);
  std::string written;
  for (const NewFile& file : scaffold.new_files) written += "new      " + file.path + "\n";
  for (const FileChange& change : scaffold.changes) written += "changed  " + change.path + "\n";
  WriteToStdout(written);
  std::fprintf(stderr,
               "\nNext, in the folder of the sources:\n"
               "  git add -N . && scripts/format.sh\n"
               "  scripts/build.sh ponder %s && ctest --test-dir build/dev -R %s\n"
               "  build/dev/bin/ponder config-reference > configs/README.md\n"
               "  scripts/build.sh && build/dev/bin/ponder up configs/%s.yaml\n",
               scaffold.test.c_str(), scaffold.test.c_str(), arguments.name.c_str());
  return 0;
}

}  // namespace

void AddNewCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "new", "Add an algorithm, a task or a reward to the sources: files, test, config");
  command->group("Extending");
  command->add_option("KIND", arguments->kind, "What to add")
      ->required()
      ->check(OneOf({"algorithm", "task", "reward"}))
      ->group("Arguments");
  command->add_option("NAME", arguments->name, "Its name, in lower_snake_case")
      ->required()
      ->group("Arguments");
  command->add_option("--dir", arguments->root, "The folder of the sources")
      ->type_name("ROOT")
      ->capture_default_str()
      ->group("Options");
  command->footer("Example: ponder new task parity");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunNew(*arguments); }; });
}

}  // namespace ponder
