// `ponder logs RUN [PROCESS]`: what a process of a run wrote.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_line.h"
#include "cli/monitor/log_text.h"
#include "cli/monitor/run_progress.h"
#include "cli/run_folder.h"
#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPollInterval{200};
constexpr size_t kTailBytes = size_t{1} << 22;

struct Arguments {
  std::string run;
  std::string process = "trainer";
  bool follow = false;
  std::optional<int64_t> attempt;
  size_t num_lines = 40;
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

std::optional<std::string> LogOf(const std::string& attempt_folder, const std::string& process) {
  for (const ProcessFile& log : LogsOf(attempt_folder)) {
    if (log.process == process) return log.path;
  }
  return std::nullopt;
}

// Writes what a file has grown by since `*offset`.
void WriteGrowth(const std::string& path, std::streamoff* offset) {
  std::ifstream file(path, std::ios::binary);
  if (!file.seekg(*offset)) return;
  std::string text(std::istreambuf_iterator<char>(file), {});
  *offset += static_cast<std::streamoff>(text.size());
  if (!text.empty()) WriteToStdout(text);
}

int RunLogs(const Arguments& arguments) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const std::string folder = FindRun(*files, arguments.run);
  const std::string attempts = folder + "/attempts";
  int64_t attempt = arguments.attempt.value_or(HighestNumber(*files, attempts, ""));
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
    const std::string tail = ReadTail(*path, kTailBytes);
    offset = static_cast<std::streamoff>(files->FileSize(*path));
    std::string text;
    for (const std::string& line : LastLines(tail, arguments.num_lines)) text += line + "\n";
    WriteToStdout(text);
  }
  while (arguments.follow) {
    // Looked at first: what was written before the run ended is still shown.
    const bool runs = RunLock::IsHeld(folder);
    if (path) WriteGrowth(*path, &offset);
    const int64_t newest = HighestNumber(*files, attempts, "");
    if (!arguments.attempt && newest > attempt &&
        LogOf(attempts + "/" + std::to_string(newest), arguments.process)) {
      attempt = newest;
      path.reset();
      WriteToStdout("==== attempt " + std::to_string(attempt) + " ====\n");
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
  command->add_option("--attempt", arguments->attempt, "Instead of the latest one");
  command->add_option("-n,--lines", arguments->num_lines, "Lines from the end to begin with")
      ->capture_default_str();
  command->footer("Example: ponder logs -f quickstart worker0");
  command->callback([arguments, chosen] { *chosen = [arguments] { return RunLogs(*arguments); }; });
}

}  // namespace ponder
