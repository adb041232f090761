// What holds for every command: help, an example, wrong options, completion.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/completion/command_tree.h"
#include "tests/cli/run_ponder.h"
#include "tests/cli/terminal_stdout.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

CommandTree Tree() {
  const auto app = MakeCommandLine(nullptr);
  return ReadCommandTree(*app);
}

void ExpectGoodHelp(const Outcome& outcome) {
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("Example"));
  std::istringstream lines(outcome.out);
  std::string before;
  for (std::string line; std::getline(lines, line); before = line) {
    EXPECT_LE(line.size(), 80U) << line;
    // A line was broken only where its next word had no room.
    const bool goes_on = line.starts_with("  ") && line.find_first_not_of(' ') == 2;
    if (!goes_on || before.empty() || before.starts_with(' ') || before.ends_with(':')) continue;
    const size_t word = std::min(line.find(' ', 2), line.size()) - 2;
    EXPECT_GT(before.size() + 1 + word, 80U) << before << "\n" << line;
  }
}

TEST(CommandWalk, HelpFollowsANarrowTerminal) {
  const std::string help = PrintedOnTerminal(40, [] {
    const char* const arguments[] = {"ponder", "up", "--help"};
    EXPECT_EQ(RunCommandLine(3, arguments), 0);
  });
  EXPECT_THAT(help, HasSubstr("Run an experiment"));
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 41U) << line;  // with the carriage return of a terminal
  }
}

// Paragraphs that were broken by hand have lines that begin in the middle of a sentence.
void ExpectWholeParagraphs(const CLI::App& app) {
  std::istringstream lines(app.get_footer());
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == ' ') continue;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(line.front())) != 0) << line;
  }
}

TEST(CommandWalk, FootersAreWrittenAParagraphALine) {
  const auto app = MakeCommandLine(nullptr);
  ExpectWholeParagraphs(*app);
  for (const CLI::App* command : app->get_subcommands({})) ExpectWholeParagraphs(*command);
}

TEST(CommandWalk, NumbersThatAreNoneAreToldInTheWordsOfExperiments) {
  const auto app = MakeCommandLine(nullptr);
  int num_options = 0;
  for (const CLI::App* command : app->get_subcommands({})) {
    for (const CLI::Option* option : command->get_options()) {
      const std::string type = option->get_type_name();
      if (type.find("INT") == std::string::npos && type.find("FLOAT") == std::string::npos)
        continue;
      ++num_options;
      for (const char* value : {"two", "-1"}) {
        const Outcome outcome = RunPonder({command->get_name(), option->get_name(), value});
        EXPECT_EQ(outcome.code, 2);
        EXPECT_THAT(outcome.err, HasSubstr(option->get_name() + ": expected a "));
        EXPECT_THAT(outcome.err, HasSubstr(std::string("got '") + value + "'"));
      }
    }
  }
  EXPECT_GE(num_options, 10);
}

TEST(CommandWalk, AWordThatIsNoChoiceGetsTheNearestOne) {
  EXPECT_THAT(
      RunPonder({"new", "taks", "x"}).err,
      HasSubstr("KIND: expected one of algorithm, task, reward, got 'taks'; did you mean 'task'?"));
  EXPECT_THAT(RunPonder({"completion", "bsh"}).err, HasSubstr("did you mean 'bash'?"));
}

TEST(CommandWalk, AnArgumentTooManyIsNamedWithWhatWasExpected) {
  const Outcome outcome = RunPonder({"stop", "quickstart", "other"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("expected RUN alone, got the argument 'other' too"));
  EXPECT_THAT(RunPonder({"exit-codes", "2"}).err, HasSubstr("expected no argument, got '2'"));
}

TEST(CommandWalk, EveryCommandHasHelpWithAnExampleInEightyColumns) {
  ExpectGoodHelp(RunPonder({"--help"}));
  ASSERT_FALSE(Tree().commands.empty());
  for (const CompletedCommand& command : Tree().commands) {
    SCOPED_TRACE(command.name);
    const Outcome outcome = RunPonder({command.name, "--help"});
    ExpectGoodHelp(outcome);
    EXPECT_THAT(outcome.out, HasSubstr("ponder " + command.name));
    for (const CompletedOption& option : command.options) {
      EXPECT_FALSE(option.help.empty()) << option.names.front();
    }
  }
}

TEST(CommandWalk, EveryCommandNamesTheOptionThatWasProbablyMeant) {
  for (const CompletedCommand& command : Tree().commands) {
    for (const CompletedOption& option : command.options) {
      const std::string& name = option.names.front();
      if (name.size() < 5) continue;
      const std::string typo = name + "x";
      const Outcome outcome = RunPonder({command.name, typo});
      EXPECT_EQ(outcome.code, 2) << command.name << " " << typo;
      EXPECT_EQ(outcome.out, "");
      EXPECT_THAT(outcome.err, HasSubstr("no option '" + typo + "'; did you mean '--"));
      EXPECT_THAT(outcome.err, HasSubstr("Run 'ponder " + command.name + " --help'"));
    }
  }
}

TEST(CommandWalk, AMissingLetterIsNamedToo) {
  const Outcome outcome = RunPonder({"up", "x.yaml", "--worker", "2"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no option '--worker'; did you mean '--workers'?"));
}

TEST(CommandWalk, ThePageOfExitCodesIsThatOfTheCode) {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  std::ifstream stream(std::filesystem::path(source == nullptr ? "." : source) /
                       "docs/exit_codes.md");
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(RunPonder({"exit-codes"}).out == text.str())
      << "docs/exit_codes.md is out of date; run: ponder exit-codes > docs/exit_codes.md";
}

// A shell's answer to `input`, or an empty text when the shell is not there.
struct Shell {
  int code = -1;
  std::string output;
};

Shell RunShell(const std::string& command) {
  Shell shell;
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return shell;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    shell.output.append(buffer.data(), n);
  }
  shell.code = WEXITSTATUS(pclose(pipe));
  return shell;
}

// The script of one shell in a file, for the time of a test.
class ScriptFile {
 public:
  explicit ScriptFile(const std::string& shell) {
    std::string pattern = (std::filesystem::temp_directory_path() / "ponder_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(path()) << RunPonder({"completion", shell}).out;
  }
  ~ScriptFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ScriptFile(const ScriptFile&) = delete;
  ScriptFile& operator=(const ScriptFile&) = delete;
  std::string path() const { return (folder_ / "script").string(); }
  std::string folder() const { return folder_.string(); }

 private:
  std::filesystem::path folder_;
};

// What bash offers after `words`, the last of which is being written; one a line.
std::string BashOffers(const ScriptFile& script, const std::string& words, int index) {
  return RunShell("cd " + script.folder() + " && bash -c 'source ./script; COMP_WORDS=(" + words +
                  "); COMP_CWORD=" + std::to_string(index) +
                  "; _ponder; printf \"%s\\n\" \"${COMPREPLY[@]}\"'")
      .output;
}

TEST(Completion, BashOffersEveryCommandAndOption) {
  const ScriptFile script("bash");
  const std::string commands = BashOffers(script, "ponder \"\"", 1);
  for (const CompletedCommand& command : Tree().commands) {
    EXPECT_THAT(commands, HasSubstr(command.name + "\n"));
    const std::string options = BashOffers(script, "ponder " + command.name + " -", 2);
    for (const CompletedOption& option : command.options) {
      for (const std::string& name : option.names) EXPECT_THAT(options, HasSubstr(name + "\n"));
    }
  }
  EXPECT_EQ(BashOffers(script, "ponder val", 1), "validate\n");
}

TEST(Completion, BashOffersExperimentsFoldersAndChoices) {
  const ScriptFile script("bash");
  std::ofstream(script.folder() + "/my run.yaml") << "";
  std::ofstream(script.folder() + "/notes.txt") << "";
  std::filesystem::create_directories(script.folder() + "/configs");
  EXPECT_EQ(BashOffers(script, "ponder validate \"\"", 2), "my run.yaml\nconfigs\n");
  EXPECT_EQ(BashOffers(script, "ponder new ta", 2), "task\n");
}

std::string Program() {
  const char* folder = std::getenv("PONDER_BIN_DIR");
  return std::string(folder == nullptr ? "bin" : folder) + "/ponder";
}

std::string Quickstart() {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  return std::filesystem::absolute(source == nullptr ? "." : source).string() +
         "/configs/quickstart.yaml";
}

TEST(Completion, BashOffersTheNamesOfRunsWhereACommandTakesOne) {
  const ScriptFile script("bash");
  for (const char* name : {"quickstart", "other *", "no_run"}) {
    std::filesystem::create_directories(script.folder() + "/runs/" + name);
  }
  std::ofstream(script.folder() + "/runs/quickstart/run.json") << "{}";
  std::ofstream(script.folder() + "/runs/other */run.json") << "{}";
  for (const char* command : {"status", "stop", "logs", "eval", "generate", "report", "inspect"}) {
    const std::string words = Program() + " " + command;
    EXPECT_EQ(BashOffers(script, words + " q", 2), "quickstart\n") << command;
    EXPECT_THAT(BashOffers(script, words + " \"\"", 2), HasSubstr("other *\nquickstart\n"));
  }
}

TEST(Completion, BashOffersTheKeysOfTheExperimentAfterSet) {
  const ScriptFile script("bash");
  for (const char* command : {"up", "validate"}) {
    const std::string words = Program() + " " + command + " " + Quickstart() + " --set ";
    EXPECT_EQ(BashOffers(script, words + "stages.reason.num_st", 4), "stages.reason.num_steps=\n");
    EXPECT_THAT(BashOffers(script, words + "\"\"", 4), HasSubstr("\nrun.seed=\n"));
  }
  EXPECT_EQ(BashOffers(script, Program() + " up --set x", 3), "\n") << "no experiment is named yet";
}

void ExpectScriptOffersAll(const std::string& shell, bool long_prefix) {
  const std::string script = RunPonder({"completion", shell}).out;
  for (const CompletedCommand& command : Tree().commands) {
    EXPECT_THAT(script, HasSubstr(command.name));
    for (const CompletedOption& option : command.options) {
      const std::string& name = option.names.front();
      EXPECT_THAT(script, HasSubstr(long_prefix ? "'" + name + "[" : " -l " + name.substr(2)));
    }
  }
}

TEST(Completion, ZshsScriptHasEveryCommandAndOptionAndIsRead) {
  ExpectScriptOffersAll("zsh", /*long_prefix=*/true);
  if (RunShell("command -v zsh").code != 0) GTEST_SKIP() << "there is no zsh to read the script";
  const ScriptFile script("zsh");
  const Shell read = RunShell("zsh -f -c 'autoload -U compinit; compinit -D; source " +
                              script.path() + "; print ${_comps[ponder]}'");
  EXPECT_EQ(read.output, "_ponder\n");
}

TEST(Completion, FishOffersEveryCommandAndOption) {
  ExpectScriptOffersAll("fish", /*long_prefix=*/false);
  if (RunShell("command -v fish").code != 0) GTEST_SKIP() << "there is no fish to read the script";
  const ScriptFile script("fish");
  std::filesystem::create_directories(script.folder() + "/runs/quickstart");
  std::ofstream(script.folder() + "/runs/quickstart/run.json") << "{}";
  const auto offers = [&](const std::string& line) {
    return RunShell("cd " + script.folder() +
                    " && PATH=" + std::filesystem::path(Program()).parent_path().string() +
                    ":$PATH HOME=" + script.folder() + " fish --no-config -c 'source " +
                    script.path() + "; complete -C \"" + line + "\"'")
        .output;
  };
  const std::string commands = offers("ponder ");
  for (const CompletedCommand& command : Tree().commands) {
    EXPECT_THAT(commands, HasSubstr(command.name + "\t"));
  }
  EXPECT_THAT(offers("ponder up --w"), HasSubstr("--workers"));
  EXPECT_THAT(offers("ponder status q"), HasSubstr("quickstart"));
  EXPECT_THAT(offers("ponder up " + Quickstart() + " --set run.se"), HasSubstr("run.seed="));
}

}  // namespace
}  // namespace ponder
