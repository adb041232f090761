#include "cli/supervisor/supervisor.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "cli/monitor/log_text.h"
#include "cli/monitor/run_progress.h"
#include "core/base/error.h"
#include "core/base/process_tree.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kTickMs = 50;
constexpr size_t kShownLines = 20;
constexpr size_t kTailBytes = size_t{1} << 18;
// How long an error line of the trainer waits for the trainer's end, which shows it with its cause.
constexpr milliseconds kErrorHold{2000};

milliseconds Since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

int64_t NextAttempt(FileSystem& files, const std::string& run_directory) {
  return std::max<int64_t>(0, HighestNumber(files, run_directory + "/attempts", "")) + 1;
}

Supervisor::Supervisor(LaunchPlan plan, const SupervisorLimits& limits, FileSystem& files,
                       RunReporter& reporter)
    : plan_(std::move(plan)),
      limits_(limits),
      files_(files),
      reporter_(reporter),
      policy_(plan_.max_restarts, NewestCheckpoint(files, plan_.run_directory)),
      trainer_backoff_(limits.backoff),
      attempt_(plan_.first_attempt - 1),
      trainer_lines_(kErrorHold) {
  AdoptOrphans();
  for (const ChildSpec& spec : plan_.services) {
    services_.push_back({spec, RestartBackoff(limits.backoff), nullptr, nullptr, {}, {}, 0});
  }
}

Supervisor::~Supervisor() {
  trainer_.reset();
  services_.clear();
  while (KillStrayChildren({}) > 0) {
  }
}

int Supervisor::Run() {
  StartTrainer();
  while (!exit_code_) {
    if (const int signal = Wait(); signal != 0) {
      OnSignal(signal);
    } else {
      WatchAll();
    }
  }
  return *exit_code_;
}

std::string Supervisor::LogPath(const std::string& name) const {
  return attempt_directory_ + "/" + name + ".log";
}

void Supervisor::StartTrainer() {
  attempt_directory_ = plan_.run_directory + "/attempts/" + std::to_string(++attempt_);
  files_.MakeDirectories(attempt_directory_);
  trainer_out_ = std::make_unique<ChildOutput>(OpenLog(LogPath("trainer")));
  trainer_err_ = std::make_unique<ChildOutput>(OpenLog(LogPath("trainer")));
  ChildSpec spec = plan_.trainer;
  if (plan_.rank_logs_argument > 0) {
    spec.argv.at(plan_.rank_logs_argument) = attempt_directory_ + "/ranks";
  }
  trainer_ = std::make_unique<ChildProcess>(spec, trainer_out_->input(), trainer_err_->input());
  trainer_out_->CloseInput();
  trainer_err_->CloseInput();
  trainer_started_ = last_change_ = steady_clock::now();
  attempt_started_ = TimeOfDay();
  healthy_ = false;
  reporter_.BeginAttempt(attempt_);
  for (Service& service : services_) {
    if (service.process == nullptr) continue;
    OpenServiceLog(service, "lives on from attempt " + std::to_string(attempt_ - 1));
  }
}

void Supervisor::StartService(Service& service) {
  if (service.num_starts == 0) {
    service.output = std::make_unique<ChildOutput>(OpenLog(LogPath(service.spec.name)));
  } else {
    OpenServiceLog(service, "start " + std::to_string(service.num_starts + 1));
  }
  service.process = std::make_unique<ChildProcess>(service.spec, service.output->input(),
                                                   service.output->input());
  service.output->CloseInput();
  service.started = last_change_ = steady_clock::now();
  reporter_.OnStart(service.spec.name, service.process->pid(), service.num_starts++);
}

void Supervisor::OpenServiceLog(Service& service, const std::string& first_line) {
  UniqueFd log = OpenLog(LogPath(service.spec.name));
  WriteAll(log.get(), LogLine('I', "up", "---- " + service.spec.name + ": " + first_line) + "\n");
  if (service.process != nullptr) {
    service.output->SwitchLog(std::move(log));
  } else {
    service.output = std::make_unique<ChildOutput>(std::move(log));
  }
}

int Supervisor::Wait() {
  std::vector<pollfd> watched{{signals_.fd(), POLLIN, 0}};
  const auto watch = [&](const std::unique_ptr<ChildOutput>& output) {
    if (output != nullptr) watched.push_back({output->output(), POLLIN, 0});
  };
  watch(trainer_out_);
  watch(trainer_err_);
  for (const Service& service : services_) watch(service.output);
  poll(watched.data(), watched.size(), kTickMs);
  PumpTrainer();
  for (Service& service : services_) {
    bool open = true;
    if (service.output != nullptr) service.output->Pump(&open);
    if (!open) service.output.reset();
  }
  reporter_.Tick(trainer_ != nullptr ? trainer_->pid() : 0);
  return signals_.Next();
}

void Supervisor::PumpTrainer() {
  bool open = true;
  if (trainer_out_ != nullptr) reporter_.console().Output(trainer_out_->Pump(&open));
  if (!open) trainer_out_.reset();
  open = true;
  std::string errors;
  if (trainer_err_ != nullptr) errors = trainer_err_->Pump(&open);
  if (!open) trainer_err_.reset();
  const auto now = steady_clock::now();
  for (const std::string& line : trainer_lines_.Feed(errors, now)) reporter_.console().Line(line);
  for (const std::string& line : trainer_lines_.Expired(now)) reporter_.console().Line(line);
}

void Supervisor::WatchAll() {
  WatchTrainer();
  if (exit_code_) return;
  WatchHealth();
  if (exit_code_ || !healthy_) return;
  for (Service& service : services_) {
    WatchService(service);
    if (exit_code_) return;
  }
  WatchSettling();
}

void Supervisor::WatchTrainer() {
  if (trainer_ == nullptr) {
    if (steady_clock::now() >= trainer_next_start_) StartTrainer();
    return;
  }
  const std::optional<ExitStatus> status = trainer_->Poll();
  if (!status) return;
  // Ranks whose launcher died first would keep the port and write on.
  KillStrayChildren(KnownPids());
  PumpTrainer();
  const int64_t newest = NewestCheckpoint(files_, plan_.run_directory);
  const TrainerVerdict verdict = policy_.OnExit(*status, newest);
  if (verdict.action == TrainerVerdict::Action::kFinished) {
    reporter_.OnTrainerExit(ProcessState::kEnded, "", "");
    return End(RunPhase::kFinished, 0, limits_.leave);
  }
  const bool gives_up = verdict.action == TrainerVerdict::Action::kGiveUp;
  const auto cause = Report(gives_up ? 'E' : 'W', "trainer", verdict.reason);
  trainer_lines_.Drop();
  reporter_.OnTrainerExit(gives_up ? ProcessState::kEnded : ProcessState::kWaiting,
                          cause ? cause->process : "rank0",
                          cause ? FirstLine(cause->text) : status->Describe());
  if (gives_up) return End(RunPhase::kFailed, status->shell_code(), milliseconds(0));
  trainer_next_start_ =
      steady_clock::now() + trainer_backoff_.OnExit(*status, Since(trainer_started_));
  trainer_.reset();
}

void Supervisor::WatchHealth() {
  if (healthy_ || trainer_ == nullptr) return;
  healthy_ = AcceptsConnections(plan_.trainer_port);
  if (healthy_ || Since(trainer_started_) < limits_.health) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limits_.health).count();
  Report('E', "trainer",
         "does not listen on 127.0.0.1:" + std::to_string(plan_.trainer_port) + " " +
             std::to_string(seconds) + " s after its start");
  End(RunPhase::kFailed, RowOf(Condition::kDeadline).exit_code, milliseconds(0));
}

void Supervisor::WatchService(Service& service) {
  if (service.process == nullptr) {
    if (steady_clock::now() >= service.next_start) StartService(service);
    return;
  }
  const std::optional<ExitStatus> status = service.process->Poll();
  if (!status) return;
  bool open = true;
  if (service.output != nullptr) service.output->Pump(&open);
  const std::string& name = service.spec.name;
  last_change_ = steady_clock::now();
  if (IsPermanentFailure(*status)) {
    const auto cause = Report('E', name, status->Describe() + ", which a restart would not cure");
    reporter_.OnExit(name, ProcessState::kEnded,
                     cause && cause->process == name ? FirstLine(cause->text) : status->Describe());
    return End(RunPhase::kFailed, status->shell_code(), milliseconds(0));
  }
  const milliseconds delay = service.backoff.OnExit(*status, Since(service.started));
  // One that left by itself was told that the run ends, which the trainer's end is about to show.
  if (status->shell_code() != 0) {
    reporter_.Say('W', name + ": " + status->Describe() + ", starts again in " +
                           std::to_string(delay.count()) + " ms (log: " + LogPath(name) + ")");
  }
  reporter_.OnExit(name, ProcessState::kWaiting,
                   status->shell_code() == 0 ? "" : status->Describe());
  service.next_start = steady_clock::now() + delay;
  service.process.reset();
}

void Supervisor::WatchSettling() {
  if (reporter_.state() != RunPhase::kStarting || Since(last_change_) < limits_.settle) return;
  for (const Service& service : services_) {
    if (service.process == nullptr) return;
  }
  reporter_.SetState(RunPhase::kRunning);
}

void Supervisor::OnSignal(int signal) {
  reporter_.Say('I', signal == SIGINT ? "interrupted: the processes stop (once more kills them)"
                                      : "asked to stop: the processes stop");
  reporter_.SetState(RunPhase::kStopping);
  const Condition condition = signal == SIGINT ? Condition::kInterrupted : Condition::kPreempted;
  End(RunPhase::kStopped, RowOf(condition).exit_code, milliseconds(0));
}

void Supervisor::End(RunPhase state, int exit_code, milliseconds leave) {
  const auto begin = steady_clock::now();
  while (AnyRunning() && Since(begin) < leave + limits_.grace) {
    if (asked_to_stop_ || Since(begin) >= leave) AskToStop();
    if (Wait() != 0) {
      if (asked_to_stop_) break;
      asked_to_stop_ = true;
    }
  }
  if (AnyRunning()) reporter_.Say('W', "some processes did not stop in time and are killed");
  if (trainer_ != nullptr) trainer_->Kill();
  for (Service& service : services_) {
    if (service.process != nullptr) service.process->Kill();
  }
  while (AnyRunning()) Wait();
  KillStrayChildren({});
  Wait();
  // Error lines after a failure are echoes of it.
  if (state == RunPhase::kFailed) trainer_lines_.Drop();
  for (const std::string& line : trainer_lines_.Expired(steady_clock::time_point::max())) {
    reporter_.console().Line(line);
  }
  // The trainer may have finished the run before it heard of a request to stop.
  const std::optional<ExitStatus> status = trainer_ != nullptr ? trainer_->Poll() : std::nullopt;
  if (state == RunPhase::kStopped && status && status->shell_code() == 0) {
    state = RunPhase::kFinished;
    exit_code = 0;
  }
  reporter_.End(state, exit_code);
  exit_code_ = exit_code;
}

void Supervisor::AskToStop() {
  asked_to_stop_ = true;
  if (trainer_ != nullptr && !trainer_->Poll()) {
    if (!std::exchange(trainer_asked_, true)) trainer_->AskToStop();
    return;
  }
  if (std::exchange(services_asked_, true)) return;
  for (Service& service : services_) {
    if (service.process != nullptr) service.process->AskToStop();
  }
}

bool Supervisor::AnyRunning() {
  bool running = trainer_ != nullptr && !trainer_->Poll();
  for (Service& service : services_) {
    running = running || (service.process != nullptr && !service.process->Poll());
  }
  return running;
}

std::set<pid_t> Supervisor::KnownPids() const {
  std::set<pid_t> pids;
  if (trainer_ != nullptr) pids.insert(trainer_->pid());
  for (const Service& service : services_) {
    if (service.process != nullptr) pids.insert(service.process->pid());
  }
  return pids;
}

std::optional<ErrorCause> Supervisor::FindCause() const {
  std::vector<ProcessLog> logs{{"trainer", ReadTail(LogPath("trainer"), kTailBytes)}};
  for (const Service& service : services_) {
    logs.push_back({service.spec.name, ReadTail(LogPath(service.spec.name), kTailBytes)});
  }
  return FirstError(logs, attempt_started_, TimeOfDay());
}

std::optional<ErrorCause> Supervisor::Report(char level, const std::string& name,
                                             const std::string& reason) {
  std::optional<ErrorCause> cause = FindCause();
  const std::string end = name + ": " + reason;
  std::string message;
  if (cause) {
    message = cause->process + ": " + cause->text + "\n" + end + " (log: " + LogPath(name) + ")";
    reporter_.Say(level, message);
  } else {
    message = end;
    std::string lines = end + "; the last lines of " + LogPath(name) + ":";
    for (const std::string& line : LastLines(ReadTail(LogPath(name), kTailBytes), kShownLines)) {
      lines += "\n" + line;
    }
    reporter_.Say(level, lines);
  }
  reporter_.SetMessage(message);
  return cause;
}

}  // namespace ponder
