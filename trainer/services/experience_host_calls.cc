// The workers' side of ExperienceHost: what the RPCs of Experience do.
#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "trainer/services/experience_host.h"

namespace ponder {
namespace {

Error UnknownSession(const std::string& session) {
  return Error(
      Condition::kUnknownSession,
      "session '" + session +
          "' is not known here: it was silent for too long, was replaced, or belongs to an "
          "earlier attempt (register again)");
}

}  // namespace

PeersUpdate ExperienceHost::PeersFor(uint64_t known_version) const {
  PeersUpdate update{.version = sessions_.peers_version(), .addresses = std::nullopt};
  if (known_version != update.version) update.addresses = sessions_.reward_addresses();
  return update;
}

Session& ExperienceHost::TouchOrThrow(const std::string& session) {
  Session* known = sessions_.Touch(session, clock_.Now());
  if (known == nullptr) throw UnknownSession(session);
  return *known;
}

void ExperienceHost::NoteTold(const std::string& session) {
  sessions_.NoteTold(session);
  changed_.NotifyAll();
}

void ExperienceHost::RequireSession(const std::string& session) const {
  MutexLock lock(mutex_);
  if (!sessions_.Knows(session)) throw UnknownSession(session);
}

PeersUpdate ExperienceHost::Register(Session session) {
  Outbox outbox;
  PeersUpdate peers;
  {
    MutexLock lock(mutex_);
    const bool known = sessions_.Knows(session.id);
    const std::string name = session.name;
    const char* role = session.role == SessionRole::kWorker ? "worker" : "reward service";
    const std::vector<std::string> replaced = sessions_.Register(std::move(session), clock_.Now());
    for (const std::string& id : replaced) DropSession(id, &outbox);
    Changed(&outbox);
    if (!known) {
      outbox.lines.push_back(
          fmt::format("{} '{}' {}", role, name, replaced.empty() ? "joined" : "came back"));
    }
    peers = PeersFor(0);
  }
  Flush(std::move(outbox));
  return peers;
}

void ExperienceHost::DropSession(const std::string& session, Outbox* outbox) {
  experience_.DropSession(session);
  for (auto entry = parked_.begin(); entry != parked_.end();) {
    if (entry->request.session != session) {
      ++entry;
      continue;
    }
    PollAnswer answer;
    answer.error = std::make_exception_ptr(UnknownSession(session));
    outbox->answers.emplace_back(entry->poll, std::move(answer));
    entry = parked_.erase(entry);
  }
}

RenewAnswer ExperienceHost::Renew(const std::string& session,
                                  const std::vector<uint64_t>& lease_ids, uint64_t peers_version) {
  MutexLock lock(mutex_);
  TouchOrThrow(session);
  if (run_ended_) NoteTold(session);
  return {.lost_lease_ids = experience_.Renew(session, lease_ids, clock_.Now()),
          .peers = PeersFor(peers_version),
          .run_ended = run_ended_};
}

PollAnswer ExperienceHost::EmptyAnswer(const PollRequest& request) {
  PollAnswer answer;
  if (closed_) {
    answer.error = std::make_exception_ptr(
        Error(Condition::kUnavailable, "acquiring prompts: the trainer goes away"));
    return answer;
  }
  answer.peers = PeersFor(request.peers_version);
  answer.run_ended = run_ended_;
  if (run_ended_) NoteTold(request.session);
  return answer;
}

PollAnswer ExperienceHost::TryAcquire(const PollRequest& request, TimePoint now) {
  PollAnswer answer = EmptyAnswer(request);
  if (answer.error || answer.run_ended) return answer;
  try {
    answer.leases = experience_.Acquire(request.session, request.seq, request.max_groups, now);
  } catch (...) {
    answer.error = std::current_exception();
  }
  return answer;
}

void ExperienceHost::Poll(ParkedPoll* poll, const PollRequest& request) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    const TimePoint now = clock_.Now();
    for (auto entry = parked_.begin(); entry != parked_.end(); ++entry) {
      if (entry->request.session != request.session) continue;
      PollAnswer superseded;
      superseded.error = std::make_exception_ptr(Error(
          Condition::kInterrupted, "acquiring prompts: a newer call of the session took over"));
      outbox.answers.emplace_back(entry->poll, std::move(superseded));
      parked_.erase(entry);
      break;
    }
    PollAnswer answer;
    if (sessions_.Touch(request.session, now) == nullptr) {
      answer.error = std::make_exception_ptr(UnknownSession(request.session));
    } else {
      answer = TryAcquire(request, now);
    }
    if (answer.error || answer.run_ended || !answer.leases.empty()) {
      outbox.answers.emplace_back(poll, std::move(answer));
    } else {
      parked_.push_back({.poll = poll, .request = request, .deadline = now + kPollLimit});
    }
  }
  Flush(std::move(outbox));
}

void ExperienceHost::Cancel(ParkedPoll* poll) {
  Outbox outbox;
  {
    MutexLock lock(mutex_);
    for (auto entry = parked_.begin(); entry != parked_.end(); ++entry) {
      if (entry->poll != poll) continue;
      PollAnswer cancelled;
      cancelled.error = std::make_exception_ptr(
          Error(Condition::kInterrupted, "acquiring prompts: the caller went away"));
      outbox.answers.emplace_back(poll, std::move(cancelled));
      parked_.erase(entry);
      break;
    }
  }
  Flush(std::move(outbox));
}

SubmitTicket ExperienceHost::BeginSubmit(const std::string& session, uint64_t lease_id) {
  MutexLock lock(mutex_);
  SubmitTicket ticket{.worker = TouchOrThrow(session).name, .lease = std::nullopt};
  const PromptLease* lease = experience_.FindLease(lease_id);
  if (lease != nullptr) ticket.lease = *lease;
  return ticket;
}

void ExperienceHost::NoteEmptyGroup(uint64_t ordinal, uint32_t try_number,
                                    const std::string& worker, const std::string& reason,
                                    Outbox* outbox) {
  constexpr auto kPause = std::chrono::seconds(5);
  const TimePoint now = clock_.Now();
  if (empty_group_told_ && now - *empty_group_told_ < kPause) {
    ++num_empty_untold_;
    return;
  }
  outbox->warnings.push_back(
      fmt::format("worker '{}' brought no group of ordinal {} (try {}): {}{}", worker, ordinal,
                  try_number, reason,
                  num_empty_untold_ == 0
                      ? std::string()
                      : fmt::format(" ({} more since the last such line)", num_empty_untold_)));
  empty_group_told_ = now;
  num_empty_untold_ = 0;
}

SubmitVerdict ExperienceHost::Submit(const std::string& session, uint64_t lease_id,
                                     uint32_t try_number, TrajectoryGroup group) {
  Outbox outbox;
  SubmitVerdict verdict = SubmitVerdict::kStale;
  const VerdictKind outcome = group.outcome;
  const uint64_t ordinal = group.lease.prompt.ordinal;
  const std::string reason = group.reason;
  {
    MutexLock lock(mutex_);
    const std::string worker = TouchOrThrow(session).name;
    try {
      verdict = experience_.Submit(session, lease_id, try_number, std::move(group));
    } catch (...) {
      failure_ = std::current_exception();
      changed_.NotifyAll();
      throw;
    }
    if (verdict == SubmitVerdict::kAccepted && outcome != VerdictKind::kScored) {
      NoteEmptyGroup(ordinal, try_number, worker, reason, &outbox);
    }
    Changed(&outbox);
  }
  Flush(std::move(outbox));
  return verdict;
}

}  // namespace ponder
