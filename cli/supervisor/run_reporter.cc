#include "cli/supervisor/run_reporter.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "cli/monitor/log_text.h"
#include "core/base/error.h"
#include "core/base/process_tree.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookInterval{500};
constexpr milliseconds kProgressInterval{1000};

std::string RankName(int64_t rank) { return "rank" + std::to_string(rank); }

bool IsRank(const ProcessStatus& process) { return process.name.starts_with("rank"); }

}  // namespace

RunReporter::RunReporter(FileSystem& files, const ExperimentConfig& config, Console& console)
    : files_(files), config_(config), console_(console), started_(steady_clock::now()) {
  status_.state = RunPhase::kStarting;
  status_.supervisor = IdentityOf(getpid());
  status_.started_s = std::time(nullptr);
}

void RunReporter::Say(char level, std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);
  console_.Line(LogLine(level, "up", line));
  while (std::getline(lines, line)) console_.Line("    " + line);
}

void RunReporter::SetState(RunPhase state) { status_.state = state; }

void RunReporter::BeginAttempt(int64_t attempt) {
  const bool first = status_.attempt == 0;
  status_.attempt = attempt;
  status_.state = RunPhase::kStarting;
  for (int64_t rank = 0; rank < config_.launch.trainer_ranks; ++rank) {
    ProcessStatus& process = Process(RankName(rank));
    process = {.name = process.name,
               .identity = {},
               .state = ProcessState::kStarting,
               .restarts = process.restarts + (first ? 0 : 1),
               .detail = ""};
  }
}

void RunReporter::SetMessage(const std::string& message) { status_.message = message; }

void RunReporter::OnStart(const std::string& name, pid_t pid, int64_t restarts) {
  Process(name) = {.name = name,
                   .identity = IdentityOf(pid),
                   .state = ProcessState::kRunning,
                   .restarts = restarts,
                   .detail = ""};
}

void RunReporter::OnExit(const std::string& name, ProcessState state, const std::string& detail) {
  ProcessStatus& process = Process(name);
  process.identity = {};
  process.state = state;
  process.detail = detail;
}

void RunReporter::OnTrainerExit(ProcessState state, const std::string& culprit,
                                const std::string& detail) {
  for (const ProcessStatus& process : status_.processes) {
    if (IsRank(process)) OnExit(process.name, state, process.name == culprit ? detail : "");
  }
}

void RunReporter::End(RunPhase state, int exit_code) {
  status_.state = state;
  status_.exit_code = exit_code;
  status_.ended_s = std::time(nullptr);
  for (ProcessStatus& process : status_.processes) {
    process.identity = {};
    process.state = ProcessState::kEnded;
  }
  Write();
}

void RunReporter::Tick(pid_t launcher) {
  FindRanks(launcher);
  Write();
  console_.Show([this] { return View(); });
}

ProcessStatus& RunReporter::Process(const std::string& name) {
  const auto at = std::find_if(status_.processes.begin(), status_.processes.end(),
                               [&](const ProcessStatus& process) { return process.name == name; });
  if (at != status_.processes.end()) return *at;
  status_.processes.push_back({});
  status_.processes.back().name = name;
  return status_.processes.back();
}

void RunReporter::FindRanks(pid_t launcher) {
  const auto now = steady_clock::now();
  const bool missing = std::any_of(
      status_.processes.begin(), status_.processes.end(), [](const ProcessStatus& process) {
        return IsRank(process) && process.state == ProcessState::kStarting;
      });
  if (launcher <= 0 || !missing || now < next_look_) return;
  next_look_ = now + kLookInterval;
  for (const pid_t pid : ChildrenOf(launcher)) {
    const std::optional<int> rank = MpiRankOf(pid);
    if (!rank) continue;
    ProcessStatus& process = Process(RankName(*rank));
    process.identity = IdentityOf(pid);
    process.state = ProcessState::kRunning;
  }
}

void RunReporter::Write() {
  if (status_ == written_) return;
  written_ = status_;
  try {
    WriteRunStatus(files_, config_.RunDirectory(), status_);
  } catch (const Error& error) {
    if (!write_failed_) Say('W', std::string("the run goes on without status: ") + error.what());
    write_failed_ = true;
  }
}

RunView RunReporter::View() {
  const auto now = steady_clock::now();
  if (now >= next_progress_) {
    next_progress_ = now + kProgressInterval;
    try {
      progress_ = ReadProgress(files_, config_.RunDirectory(), config_);
    } catch (const Error&) {
      // A file that cannot be read now leaves the picture as it was.
    }
  }
  RunView view{.name = config_.run.name,
               .status = status_,
               .progress = progress_,
               .usage = UsageOf(status_),
               .elapsed_s = std::chrono::duration<double>(now - started_).count()};
  MarkEnded(&view);
  return view;
}

}  // namespace ponder
