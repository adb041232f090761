// Starts, watches, restarts and stops the processes of one run.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/monitor/first_error.h"
#include "cli/monitor/line_filter.h"
#include "cli/supervisor/child_process.h"
#include "cli/supervisor/launch_plan.h"
#include "cli/supervisor/process_log.h"
#include "cli/supervisor/restart_policy.h"
#include "cli/supervisor/run_reporter.h"
#include "cli/supervisor/stop_signals.h"
#include "core/base/file.h"

namespace ponder {

struct SupervisorLimits {
  std::chrono::milliseconds health{120'000};  // from the trainer's start until it listens
  std::chrono::milliseconds settle{1'000};    // all processes live that long: the run is healthy
  std::chrono::milliseconds leave{1'000};     // services after a finished run, before SIGTERM
  std::chrono::milliseconds grace{30'000};    // from the first SIGTERM to SIGKILL
  BackoffLimits backoff;
};

// One run from the first start to the last exit. Owns the processes: none of them, nor of their
// descendants, outlives this object. While it lives, SIGINT, SIGTERM and SIGHUP are taken by it,
// and this process adopts orphaned descendants, so it must not have other children. Main thread
// only.
class Supervisor {
 public:
  // `files` and `reporter` are borrowed.
  Supervisor(LaunchPlan plan, const SupervisorLimits& limits, FileSystem& files,
             RunReporter& reporter);
  ~Supervisor();

  // Blocks until the run has ended and every process is gone. Returns the exit code for the user:
  // the trainer's, that of a worker or reward service whose failure is permanent, 130 after SIGINT,
  // 75 after SIGTERM or SIGHUP (state is saved; start again to go on). A first signal asks the
  // processes to stop, a second one kills them.
  int Run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // A worker or reward service, running or about to be started again.
  struct Service {
    ChildSpec spec;
    RestartBackoff backoff;
    std::unique_ptr<ChildProcess> process;
    std::unique_ptr<ChildOutput> output;
    SteadyTime started;
    SteadyTime next_start;
    int64_t num_starts = 0;
  };

  // Of the current attempt.
  std::string LogPath(const std::string& name) const;
  // Every process of an attempt has one log file in it; a further start of a service within the
  // attempt begins a new section there.
  void OpenServiceLog(Service& service, const std::string& first_line);
  void StartTrainer();
  void StartService(Service& service);
  // One look at every process; sets exit_code_ when the run has ended.
  void WatchAll();
  void WatchTrainer();
  void WatchHealth();
  void WatchService(Service& service);
  // The run is healthy once everything has been up for a while.
  void WatchSettling();
  void OnSignal(int signal);
  // Ends the run as `state`: the services get `leave` to go by themselves, then all are asked to
  // stop, then killed.
  void End(RunPhase state, int exit_code, std::chrono::milliseconds leave);
  // Called again and again. The trainer is asked first, and the services when it has ended: it may
  // need what they are working on to save.
  void AskToStop();
  bool AnyRunning();
  // Waits for output, a signal or a short time, copies output, and shows the run. Returns the
  // signal that asks for a stop, or 0.
  int Wait();
  void PumpTrainer();
  std::set<pid_t> KnownPids() const;
  // The first error of any process since the attempt began.
  std::optional<ErrorCause> FindCause() const;
  // Tells the first error and which process ended of it, or that process's last lines when no error
  // was printed. Returns the cause.
  std::optional<ErrorCause> Report(char level, const std::string& name, const std::string& reason);

  const LaunchPlan plan_;
  const SupervisorLimits limits_;
  FileSystem& files_;
  RunReporter& reporter_;
  StopSignals signals_;
  TrainerRestartPolicy policy_;
  RestartBackoff trainer_backoff_;
  int64_t attempt_;  // of the trainer's latest start
  std::string attempt_directory_;
  std::unique_ptr<ChildOutput> trainer_out_;
  std::unique_ptr<ChildOutput> trainer_err_;
  LineFilter trainer_lines_;
  std::unique_ptr<ChildProcess> trainer_;
  std::string attempt_started_;  // time of day
  SteadyTime trainer_started_;
  SteadyTime trainer_next_start_;
  SteadyTime last_change_;  // a process started or ended
  bool healthy_ = false;    // the trainer listens
  std::vector<Service> services_;
  bool asked_to_stop_ = false;
  bool trainer_asked_ = false;
  bool services_asked_ = false;
  std::optional<int> exit_code_;
};

// The number of the next attempt in a run folder. Throws Error(kIo).
int64_t NextAttempt(FileSystem& files, const std::string& run_directory);

}  // namespace ponder
