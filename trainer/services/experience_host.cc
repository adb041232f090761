// The trainer's side of ExperienceHost, the timer's tick, and what all sides share. The workers'
// side: experience_host_calls.cc.
#include "trainer/services/experience_host.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace ponder {

ExperienceHost::ExperienceHost(ExperienceOptions options, PromptSource prompts, Clock& clock,
                               const Log& log)
    : clock_(clock),
      log_(log),
      experience_(options, std::move(prompts)),
      sessions_(options.lease_time) {}

void ExperienceHost::Flush(Outbox&& outbox) {
  for (auto& [poll, answer] : outbox.answers) poll->Answer(std::move(answer));
  for (const std::string& line : outbox.lines) log_.Info(line);
  for (const std::string& line : outbox.warnings) log_.Warning(line);
}

void ExperienceHost::Changed(Outbox* outbox) {
  const TimePoint now = clock_.Now();
  while (!parked_.empty() && experience_.HasWork()) {
    const Parked first = std::move(parked_.front());
    parked_.pop_front();
    outbox->answers.emplace_back(first.poll, TryAcquire(first.request, now));
  }
  changed_.NotifyAll();
}

void ExperienceHost::Publish(const ModelIdentity& identity) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    experience_.Publish(identity);
    Changed(&outbox);
  }
  Flush(std::move(outbox));
}

void ExperienceHost::BeginStage(const SampledStage& stage, StageProgress progress) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    experience_.BeginStage(stage, std::move(progress));
    Changed(&outbox);
  }
  Flush(std::move(outbox));
}

void ExperienceHost::EndStage() {
  MutexLock lock(mutex_);
  experience_.EndStage();
}

std::optional<std::vector<TrajectoryGroup>> ExperienceHost::WaitForStep(int64_t step,
                                                                        Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (true) {
    RethrowFailure();
    if (experience_.StepReady(step)) return experience_.TakeStep(step);
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return std::nullopt;
    changed_.WaitFor(mutex_, end - now);
  }
}

void ExperienceHost::ReleaseStep(int64_t step) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    experience_.ReleaseStep(step);
    Changed(&outbox);
  }
  Flush(std::move(outbox));
}

std::optional<StageProgress> ExperienceHost::WaitForProgress(uint64_t version, Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (true) {
    RethrowFailure();
    bool complete = false;
    StageProgress progress = experience_.Progress(version, &complete);
    if (complete) return progress;
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return std::nullopt;
    changed_.WaitFor(mutex_, end - now);
  }
}

StageProgress ExperienceHost::Progress(uint64_t version, bool* complete) const {
  MutexLock lock(mutex_);
  return experience_.Progress(version, complete);
}

void ExperienceHost::BeginEvaluation(const SampledEvaluation& evaluation) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    experience_.BeginEvaluation(evaluation);
    Changed(&outbox);
  }
  Flush(std::move(outbox));
}

std::optional<std::vector<TrajectoryGroup>> ExperienceHost::WaitForEvaluation(Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (true) {
    RethrowFailure();
    if (experience_.EvaluationReady()) return experience_.TakeEvaluation();
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return std::nullopt;
    changed_.WaitFor(mutex_, end - now);
  }
}

ExperienceCounters ExperienceHost::counters() const {
  MutexLock lock(mutex_);
  return experience_.counters();
}

std::string ExperienceHost::DescribeWaiting() const {
  MutexLock lock(mutex_);
  return experience_.DescribeWaiting(clock_.Now()) +
         fmt::format("; {} of {} workers wait for prompts", parked_.size(),
                     sessions_.Count(SessionRole::kWorker));
}

size_t ExperienceHost::Count(SessionRole role) const {
  MutexLock lock(mutex_);
  return sessions_.Count(role);
}

void ExperienceHost::EndRun() {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    run_ended_ = true;
    while (!parked_.empty()) {
      outbox.answers.emplace_back(parked_.front().poll, EmptyAnswer(parked_.front().request));
      parked_.pop_front();
    }
    changed_.NotifyAll();
  }
  Flush(std::move(outbox));
}

bool ExperienceHost::WaitUntilTold(Duration limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (sessions_.NumNotTold() > 0) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return false;
    changed_.WaitFor(mutex_, end - now);
  }
  return true;
}

void ExperienceHost::Close() {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    for (const Parked& parked : parked_) {
      outbox.answers.emplace_back(parked.poll, EmptyAnswer(parked.request));
    }
    parked_.clear();
  }
  Flush(std::move(outbox));
}

void ExperienceHost::Tick() {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    try {
      ExpireAll(clock_.Now(), &outbox);
      Changed(&outbox);
    } catch (...) {
      failure_ = std::current_exception();
      changed_.NotifyAll();
    }
  }
  Flush(std::move(outbox));
}

void ExperienceHost::ExpireAll(TimePoint now, Outbox* outbox) {
  for (const Session& dead : sessions_.Expire(now)) {
    outbox->lines.push_back(
        fmt::format("{} '{}' was not heard of in time: its session is over",
                    dead.role == SessionRole::kWorker ? "worker" : "reward service", dead.name));
    DropSession(dead.id, outbox);
  }
  const size_t num_expired = experience_.Expire(now);
  if (num_expired > 0) {
    outbox->lines.push_back(fmt::format("{} leases expired and went back", num_expired));
  }
  while (!parked_.empty() && parked_.front().deadline <= now) {
    outbox->answers.emplace_back(parked_.front().poll, EmptyAnswer(parked_.front().request));
    parked_.pop_front();
  }
}

void ExperienceHost::RethrowFailure() const {
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace ponder
