// What a supervisor lets others know: status.json in the run folder, and the console.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/monitor/console.h"
#include "cli/monitor/run_status.h"
#include "core/base/file.h"
#include "core/config/experiment.h"

namespace ponder {

// Keeps the status of one run and its processes, writes it when it changed, and shows it. A disk
// that takes no status ends no run: it is told once. Main thread only.
class RunReporter {
 public:
  // All are borrowed. `config` is the run's experiment.
  RunReporter(FileSystem& files, const ExperimentConfig& config, Console& console);

  Console& console() { return console_; }
  // A line of this supervisor; `level` as in LogLine. Further lines of `text` are indented.
  void Say(char level, std::string_view text);

  RunPhase state() const { return status_.state; }
  void SetState(RunPhase state);
  // The trainer starts as attempt `attempt`; its ranks are processes without a number yet.
  void BeginAttempt(int64_t attempt);
  // Why the run failed or its trainer was restarted.
  void SetMessage(const std::string& message);
  // The process started; `restarts`: how often it had to be started again.
  void OnStart(const std::string& name, pid_t pid, int64_t restarts);
  // The process ended; `detail` says why, empty when that is as it should be.
  void OnExit(const std::string& name, ProcessState state, const std::string& detail);
  // The same for all ranks of the trainer; `detail` goes to the rank `culprit` only.
  void OnTrainerExit(ProcessState state, const std::string& culprit, const std::string& detail);
  void End(RunPhase state, int exit_code);

  // Finds the ranks below the launcher with number `launcher` as long as some are missing, writes
  // the status if it changed, and shows the run. Called often.
  void Tick(pid_t launcher);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  ProcessStatus& Process(const std::string& name);
  void FindRanks(pid_t launcher);
  void Write();
  RunView View();

  FileSystem& files_;
  const ExperimentConfig& config_;
  Console& console_;
  const SteadyTime started_;
  RunStatus status_;
  RunStatus written_;
  bool write_failed_ = false;
  RunProgress progress_;
  SteadyTime next_look_{};      // for ranks
  SteadyTime next_progress_{};  // for the metrics files
};

}  // namespace ponder
