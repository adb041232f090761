// `ponder logs RUN [PROCESS]`: what a process of a run wrote.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "cli/command_line.h"
#include "cli/find_run.h"
#include "cli/monitor/log_text.h"
#include "cli/monitor/run_progress.h"
#include "cli/run_folder.h"
#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"
#include "core/config/nearest_name.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPollInterval{200};
constexpr std::streamoff kTailBytes = std::streamoff{1} << 22;

struct Arguments {
  std::string run;
  std::string process = "trainer";
  bool follow = false;
  std::optional<int64_t> attempt;
  int64_t num_lines = 40;
};

struct ProcessFile {
  std::string process;
  std::string path;
};

// The logs of an attempt. Open MPI keeps those of the ranks in ranks/JOB/rank.R/stderr, R with
// leading zeros.
std::vector<ProcessFile> LogsOf(const std::string& attempt_folder) {
  std::vector<ProcessFile> logs;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(attempt_folder, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".log") logs.push_back({path.stem().string(), path.string()});
    const std::string folder = path.parent_path().filename().string();
    if (path.filename() == "stderr" && folder.starts_with("rank.")) {
      const size_t digit = std::min(folder.find_first_not_of('0', 5), folder.size() - 1);
      logs.push_back({"rank" + folder.substr(digit), path.string()});
    }
  }
  std::sort(logs.begin(), logs.end(),
            [](const ProcessFile& a, const ProcessFile& b) { return a.process < b.process; });
  return logs;
}

// Their numbers, in order.
std::vector<std::string> AttemptsOf(FileSystem& files, const std::string& attempts_folder) {
  std::vector<std::string> attempts = files.List(attempts_folder);
  std::sort(attempts.begin(), attempts.end(), [](const std::string& a, const std::string& b) {
    return std::tuple(a.size(), a) < std::tuple(b.size(), b);
  });
  return attempts;
}

std::optional<std::string> LogOf(const std::string& attempt_folder, const std::string& process) {
  for (const ProcessFile& log : LogsOf(attempt_folder)) {
    if (log.process == process) return log.path;
  }
  return std::nullopt;
}

// What a file holds from `*offset` on, which moves to the end of it.
std::string ReadGrowth(const std::string& path, std::streamoff* offset) {
  std::ifstream file(path, std::ios::binary);
  if (!file.seekg(*offset)) return "";
  std::string text(std::istreambuf_iterator<char>(file), {});
  *offset += static_cast<std::streamoff>(text.size());
  return text;
}

// The end of a text; a last line without its end stays open.
std::string EndOf(const std::string& text, int64_t num_lines) {
  std::string end;
  for (const std::string& line : LastLines(text, static_cast<size_t>(num_lines)))
    end += line + "\n";
  if (!end.empty() && !text.ends_with('\n')) end.pop_back();
  return end;
}

int RunLogs(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const std::string folder = FindRun(*files, arguments.run);
  const std::string attempts = folder + "/attempts";
  int64_t attempt = arguments.attempt.value_or(HighestNumber(*files, attempts, ""));
  if (arguments.attempt && !files->Exists(attempts + "/" + std::to_string(attempt))) {
    throw Error(Condition::kUsage, "--attempt " + std::to_string(attempt) + ": " + folder +
                                       " has no such attempt; it has " +
                                       JoinNames(AttemptsOf(*files, attempts)));
  }
  const auto attempt_folder = [&] { return attempts + "/" + std::to_string(attempt); };
  std::optional<std::string> path = LogOf(attempt_folder(), arguments.process);
  // A process that has not started yet may be waited for.
  if (!path && !(arguments.follow && RunLock::IsHeld(folder))) {
    std::vector<std::string> names;
    for (const ProcessFile& log : LogsOf(attempt_folder())) names.push_back(log.process);
    throw Error(
        Condition::kUsage,
        "no log of '" + arguments.process + "' in " + attempt_folder() +
            (names.empty() ? std::string() : NameHint(arguments.process, names, "its logs are")));
  }
  std::streamoff offset = 0;
  if (path) {
    const auto size = static_cast<std::streamoff>(files->FileSize(*path));
    offset = std::max<std::streamoff>(0, size - kTailBytes);
    WriteToStdout(EndOf(ReadGrowth(*path, &offset), arguments.num_lines));
  }
  while (arguments.follow) {
    // Looked at first: what was written before the run ended is still shown.
    const bool runs = RunLock::IsHeld(folder);
    if (path) WriteToStdout(ReadGrowth(*path, &offset));
    const int64_t newest = HighestNumber(*files, attempts, "");
    // The next attempt that has this process; the one before it writes no more.
    for (int64_t next = attempt + 1; !arguments.attempt && next <= newest; ++next) {
      if (!LogOf(attempts + "/" + std::to_string(next), arguments.process)) continue;
      if (path) WriteToStdout(ReadGrowth(*path, &offset));
      path.reset();
      attempt = next;
      WriteToStdout("==== attempt " + std::to_string(attempt) + " ====\n");
      break;
    }
    if (!path) {
      path = LogOf(attempt_folder(), arguments.process);
      offset = 0;
      if (path) continue;
    }
    if (!runs || (arguments.attempt && newest > attempt)) return 0;
    std::this_thread::sleep_for(kPollInterval);
  }
  return 0;
}

}  // namespace

void AddLogsCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("logs", "Show what a process of a run wrote");
  command->group("Runs");
  command->add_option("RUN", arguments->run, "A run folder, or a name below runs/")
      ->required()
      ->group("Arguments");
  command
      ->add_option("PROCESS", arguments->process,
                   "trainer (all ranks), rank0, worker0, reward0, or up")
      ->capture_default_str()
      ->group("Arguments");
  command->add_flag("-f,--follow", arguments->follow,
                    "Go on, over restarts and attempts, until the run ends");
  command->add_option("--attempt", arguments->attempt, "Instead of the latest one")
      ->check(WholeNumber({.min = 1}));
  command->add_option("-n,--lines", arguments->num_lines, "Lines from the end to begin with")
      ->check(WholeNumber({.min = 0}))
      ->capture_default_str();
  command->footer("Example: ponder logs -f quickstart worker0");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunLogs(*arguments); }; });
}

}  // namespace ponder
