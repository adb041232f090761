#include "cli/supervisor/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "core/base/error.h"
#include "core/base/process_tree.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kTickMs = 50;
constexpr size_t kShownLines = 20;
constexpr size_t kTailBytes = size_t{1} << 18;

// The number after `prefix` in a file name such as "step_000120", -1 when it is not of that form.
int64_t NumberAfter(const std::string& prefix, const std::string& name) {
  if (name.size() <= prefix.size() || name.size() > prefix.size() + 18 ||
      name.compare(0, prefix.size(), prefix) != 0 ||
      name.find_first_not_of("0123456789", prefix.size()) != std::string::npos) {
    return -1;
  }
  return std::stoll(name.substr(prefix.size()));
}

int64_t HighestNumber(FileSystem& files, const std::string& folder, const std::string& prefix) {
  int64_t highest = -1;
  for (const std::string& name : files.List(folder)) {
    highest = std::max(highest, NumberAfter(prefix, name));
  }
  return highest;
}

// As in the lines of a log.
std::string TimeOfDay() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                     now.tv_nsec / 1'000'000);
}

milliseconds Since(steady_clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

}  // namespace

Supervisor::Supervisor(LaunchPlan plan, const SupervisorLimits& limits, FileSystem& files,
                       const Log& log)
    : plan_(std::move(plan)),
      limits_(limits),
      files_(files),
      log_(log),
      policy_(plan_.max_restarts, NewestStep()),
      trainer_backoff_(limits.backoff) {
  AdoptOrphans();
  for (const ChildSpec& spec : plan_.services) {
    services_.push_back({spec, RestartBackoff(limits.backoff), nullptr, {}, {}, ""});
  }
}

Supervisor::~Supervisor() {
  trainer_.reset();
  services_.clear();
  while (KillStrayChildren({}) > 0) {
  }
}

int64_t Supervisor::NewestStep() const {
  return HighestNumber(files_, plan_.run_directory + "/checkpoints", "step_");
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

void Supervisor::StartTrainer() {
  const std::string attempts = plan_.run_directory + "/attempts";
  attempt_directory_ =
      attempts + "/" +
      std::to_string(std::max<int64_t>(0, HighestNumber(files_, attempts, "")) + 1);
  files_.MakeDirectories(attempt_directory_);
  trainer_out_.reset();
  trainer_err_.reset();
  trainer_log_ = OpenLog(attempt_directory_ + "/trainer.log");
  trainer_out_ = std::make_unique<OutputTee>(trainer_log_.get(), STDOUT_FILENO);
  trainer_err_ = std::make_unique<OutputTee>(trainer_log_.get(), STDERR_FILENO);
  trainer_ =
      std::make_unique<ChildProcess>(plan_.trainer, trainer_out_->input(), trainer_err_->input());
  trainer_out_->CloseInput();
  trainer_err_->CloseInput();
  trainer_started_ = steady_clock::now();
  attempt_started_ = TimeOfDay();
  healthy_ = false;
}

void Supervisor::StartService(Service& service) {
  service.log_path = attempt_directory_ + "/" + service.spec.name + ".log";
  const UniqueFd log = OpenLog(service.log_path);
  service.process = std::make_unique<ChildProcess>(service.spec, log.get(), log.get());
  service.started = steady_clock::now();
}

int Supervisor::Wait() {
  std::vector<pollfd> watched{{signals_.fd(), POLLIN, 0}};
  for (const auto* tee : {&trainer_out_, &trainer_err_}) {
    if (*tee != nullptr) watched.push_back({(*tee)->output(), POLLIN, 0});
  }
  poll(watched.data(), watched.size(), kTickMs);
  for (auto* tee : {&trainer_out_, &trainer_err_}) {
    if (*tee != nullptr && !(*tee)->Pump()) tee->reset();
  }
  return signals_.Next();
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
  for (auto* tee : {&trainer_out_, &trainer_err_}) {
    if (*tee != nullptr) (*tee)->Pump();
  }
  const TrainerVerdict verdict = policy_.OnExit(*status, NewestStep());
  if (verdict.action == TrainerVerdict::Action::kFinished) return End(0, limits_.leave);
  Report("trainer", verdict.reason, attempt_directory_ + "/trainer.log");
  if (verdict.action == TrainerVerdict::Action::kGiveUp) {
    return End(status->shell_code(), milliseconds(0));
  }
  trainer_next_start_ =
      steady_clock::now() + trainer_backoff_.OnExit(*status, Since(trainer_started_));
  trainer_.reset();
}

void Supervisor::WatchHealth() {
  if (healthy_ || trainer_ == nullptr) return;
  healthy_ = AcceptsConnections(plan_.trainer_port);
  if (healthy_ || Since(trainer_started_) < limits_.health) return;
  const std::string address = "127.0.0.1:" + std::to_string(plan_.trainer_port);
  Report(
      "trainer",
      "does not listen on " + address + " " +
          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limits_.health).count()) +
          " s after its start",
      attempt_directory_ + "/trainer.log");
  End(RowOf(Condition::kDeadline).exit_code, milliseconds(0));
}

void Supervisor::WatchService(Service& service) {
  if (service.process == nullptr) {
    if (steady_clock::now() >= service.next_start) StartService(service);
    return;
  }
  const std::optional<ExitStatus> status = service.process->Poll();
  if (!status) return;
  if (IsPermanentFailure(*status)) {
    Report(service.spec.name, status->Describe() + ", which a restart would not cure",
           service.log_path);
    return End(status->shell_code(), milliseconds(0));
  }
  const milliseconds delay = service.backoff.OnExit(*status, Since(service.started));
  // One that left by itself was told that the run ends, which the trainer's end is about to show.
  if (status->shell_code() != 0) {
    log_.Warning(service.spec.name + ": " + status->Describe() + ", starts again in " +
                 std::to_string(delay.count()) + " ms (log: " + service.log_path + ")");
  }
  service.next_start = steady_clock::now() + delay;
  service.process.reset();
}

void Supervisor::OnSignal(int signal) {
  log_.Info(signal == SIGINT ? "interrupted: the processes stop (once more kills them)"
                             : "asked to stop: the processes stop");
  const Condition condition = signal == SIGINT ? Condition::kInterrupted : Condition::kPreempted;
  End(RowOf(condition).exit_code, milliseconds(0));
  // The trainer may have finished the run before it heard of the signal.
  const std::optional<ExitStatus> status = trainer_ != nullptr ? trainer_->Poll() : std::nullopt;
  if (status && status->shell_code() == 0) exit_code_ = 0;
}

void Supervisor::End(int exit_code, milliseconds leave) {
  const auto begin = steady_clock::now();
  while (AnyRunning() && Since(begin) < leave + limits_.grace) {
    if (Since(begin) >= leave && !asked_to_stop_) StopAll();
    if (Wait() != 0) {
      if (asked_to_stop_) break;
      StopAll();
    }
  }
  if (AnyRunning()) log_.Warning("some processes did not stop in time and are killed");
  if (trainer_ != nullptr) trainer_->Kill();
  for (Service& service : services_) {
    if (service.process != nullptr) service.process->Kill();
  }
  while (AnyRunning()) Wait();
  KillStrayChildren({});
  Wait();
  exit_code_ = exit_code;
}

void Supervisor::StopAll() {
  asked_to_stop_ = true;
  if (trainer_ != nullptr) trainer_->AskToStop();
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

void Supervisor::Report(const std::string& name, const std::string& reason,
                        const std::string& log_path) {
  log_.Error(name + ": " + reason + "; the last lines of " + log_path + ":");
  for (const std::string& line : LastLines(ReadTail(log_path, kTailBytes), kShownLines)) {
    std::fprintf(stderr, "    %s\n", line.c_str());
  }
  // The process that failed may only echo what went wrong elsewhere.
  std::vector<std::string> logs{ReadTail(attempt_directory_ + "/trainer.log", kTailBytes)};
  for (const Service& service : services_) logs.push_back(ReadTail(service.log_path, kTailBytes));
  const std::string cause = FirstError(logs, attempt_started_, TimeOfDay());
  if (!cause.empty()) log_.Error("first error: " + cause);
}

}  // namespace ponder
