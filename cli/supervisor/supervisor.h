// Starts, watches, restarts and stops the processes of one run.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/supervisor/child_process.h"
#include "cli/supervisor/launch_plan.h"
#include "cli/supervisor/process_log.h"
#include "cli/supervisor/restart_policy.h"
#include "cli/supervisor/stop_signals.h"
#include "core/base/file.h"
#include "core/base/log.h"

namespace ponder {

struct SupervisorLimits {
  std::chrono::milliseconds health{120'000};  // from the trainer's start until it listens
  std::chrono::milliseconds leave{1'000};     // services after a finished run, before SIGTERM
  std::chrono::milliseconds grace{10'000};    // from SIGTERM to SIGKILL
  BackoffLimits backoff;
};

// One run from the first start to the last exit. Owns the processes: none of them, nor of their
// descendants, outlives this object. While it lives, SIGINT and SIGTERM are taken by it, and this
// process adopts orphaned descendants, so it must not have other children. Main thread only.
class Supervisor {
 public:
  // `files` and `log` are borrowed.
  Supervisor(LaunchPlan plan, const SupervisorLimits& limits, FileSystem& files, const Log& log);
  ~Supervisor();

  // Blocks until the run has ended and every process is gone. Returns the exit code for the user:
  // the trainer's, that of a worker or reward service whose failure is permanent, 130 after SIGINT,
  // 75 after SIGTERM (state is saved; start again to go on). A first signal asks the processes to
  // stop, a second one kills them.
  int Run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // A worker or reward service, running or about to be started again.
  struct Service {
    ChildSpec spec;
    RestartBackoff backoff;
    std::unique_ptr<ChildProcess> process;
    SteadyTime started;
    SteadyTime next_start;
    std::string log_path;
  };

  // Of the newest checkpoint in the run folder, -1 for none.
  int64_t NewestStep() const;
  void StartTrainer();
  void StartService(Service& service);
  // One look at every process; sets exit_code_ when the run has ended.
  void WatchAll();
  void WatchTrainer();
  void WatchHealth();
  void WatchService(Service& service);
  void OnSignal(int signal);
  // Ends the run: the services get `leave` to go by themselves, then all are asked to stop, then
  // killed.
  void End(int exit_code, std::chrono::milliseconds leave);
  void StopAll();
  bool AnyRunning();
  // Waits for output, a signal or a short time, and copies output. Returns SIGINT, SIGTERM or 0.
  int Wait();
  std::set<pid_t> KnownPids() const;
  // Tells which process failed, its last lines, and the first error of any.
  void Report(const std::string& name, const std::string& reason, const std::string& log_path);

  const LaunchPlan plan_;
  const SupervisorLimits limits_;
  FileSystem& files_;
  const Log& log_;
  StopSignals signals_;
  TrainerRestartPolicy policy_;
  RestartBackoff trainer_backoff_;
  std::string attempt_directory_;
  UniqueFd trainer_log_;
  std::unique_ptr<OutputTee> trainer_out_;
  std::unique_ptr<OutputTee> trainer_err_;
  std::unique_ptr<ChildProcess> trainer_;
  std::string attempt_started_;  // time of day
  SteadyTime trainer_started_;
  SteadyTime trainer_next_start_;
  bool healthy_ = false;
  std::vector<Service> services_;
  bool asked_to_stop_ = false;
  std::optional<int> exit_code_;
};

}  // namespace ponder
