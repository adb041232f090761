// The `ponder` program from its arguments to its exit code, in this process.
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "tests/cli/run_ponder.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

std::string Quickstart() {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/configs/quickstart.yaml";
}

// An empty working directory for the time of a test.
class InEmptyFolder {
 public:
  InEmptyFolder() : before_(fs::current_path()) {
    std::string pattern = (fs::temp_directory_path() / "ponder_cli_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
  }
  ~InEmptyFolder() {
    std::error_code ignored;
    fs::current_path(before_, ignored);
    fs::remove_all(folder_, ignored);
  }
  InEmptyFolder(const InEmptyFolder&) = delete;
  InEmptyFolder& operator=(const InEmptyFolder&) = delete;
  bool IsEmpty() const { return fs::is_empty(folder_); }

 private:
  const fs::path before_;
  fs::path folder_;
};

TEST(ValidateTest, PrintsTheResolvedExperimentAndWritesNothing) {
  const std::string path = fs::absolute(Quickstart()).string();
  const InEmptyFolder folder;
  const Outcome outcome = RunPonder({"validate", path.c_str()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, ResolvedYaml(ReadExperiment(path, {})));
  EXPECT_TRUE(folder.IsEmpty());
}

TEST(ValidateTest, TakesOverridesBeforeAndAfterTheFile) {
  const std::string path = Quickstart();
  const Outcome outcome = RunPonder({"validate", "--set", "run.seed=5", path.c_str(), "--set",
                                     "stages.reason.optimizer.betas=[0.5, 0.75]"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("  seed: 5\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("      betas: [0.5, 0.75]\n"), std::string::npos);
}

TEST(ValidateTest, TellsEveryProblemOnStderrAndExitsWithTwo) {
  const InEmptyFolder folder;
  std::ofstream("x.yaml") << "config_version: 1\nrun: {nam: demo}\n";
  const Outcome outcome = RunPonder({"validate", "x.yaml", "--set", "launch.workers=0"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "x.yaml:1:1: tasks: missing; it has no default\n"
            "x.yaml:1:1: models: missing; it has no default\n"
            "x.yaml:1:1: stages: missing; it has no default\n"
            "x.yaml:2:6: run.name: missing; it has no default\n"
            "x.yaml:2:7: unknown key 'nam' in run; did you mean 'name'?\n"
            "--set launch.workers: expected a whole number, 1 to 1024, got '0'\n");
}

TEST(ValidateTest, RefusesAFileThatIsNotThere) {
  const Outcome outcome = RunPonder({"validate", "/nonexistent.yaml"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "/nonexistent.yaml: cannot be read: No such file or directory\n");
}

TEST(ConfigReferenceCommandTest, PrintsTheReference) {
  const Outcome outcome = RunPonder({"config-reference"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, ConfigReferenceMarkdown());
}

TEST(CommandLineTest, HelpListsTheCommandsInGroups) {
  const Outcome outcome = RunPonder({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  const size_t group = outcome.out.find("Experiments:");
  ASSERT_NE(group, std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("validate", group), std::string::npos);
}

TEST(CommandLineTest, VersionNamesTheProgram) {
  const Outcome outcome = RunPonder({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.out.starts_with("ponder ")) << outcome.out;
}

TEST(CommandLineTest, WrongUseIsToldOnStderrAndExitsWithTwo) {
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  const Case cases[] = {
      {{}, "A subcommand is required\nRun 'ponder --help' for what there is.\n"},
      {{"validat", "x.yaml"},
       "no command 'validat'; did you mean 'validate'?\nRun 'ponder --help' for what there is.\n"},
      {{"validate"}, "FILE is required\nRun 'ponder validate --help' for what there is.\n"},
      {{"validate", "x.yaml", "--sett", "a=b"},
       "no option '--sett'; did you mean '--set'?\nRun 'ponder validate --help' for what there "
       "is.\n"},
      {{"validate", "x.yaml", "--set"},
       "--set: 1 required KEY=VALUE missing\nRun 'ponder validate --help' for what there is.\n"},
  };
  for (const Case& wrong : cases) {
    const Outcome outcome = RunPonder(wrong.arguments);
    EXPECT_EQ(outcome.code, 2) << wrong.message;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, std::string("ponder: error: ") + wrong.message);
  }
}

}  // namespace
}  // namespace ponder
