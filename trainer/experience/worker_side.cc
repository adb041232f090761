// The workers' side of Experience: leases out, groups in, and what happens to leases that fail.
#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "trainer/experience/experience.h"

namespace ponder {

std::vector<PromptLease> Experience::Acquire(const std::string& session, uint64_t seq,
                                             uint32_t max_groups, TimePoint now) {
  if (fault_) return {};
  // An exception of the prompt source belongs to the trainer, not to the worker that happened to
  // ask.
  bool source_failed = false;
  const auto prompts = [&](uint64_t ordinal) {
    try {
      return prompts_(ordinal);
    } catch (...) {
      source_failed = true;
      throw;
    }
  };
  std::vector<PromptLease> leases;
  try {
    leases = table_.Acquire(session, seq, max_groups, now, prompts);
  } catch (...) {
    if (!source_failed) throw;
    fault_ = std::current_exception();
    return {};
  }
  counters_.prompts_issued = table_.num_issued();
  counters_.leases_issued = table_.num_leases();
  CheckLedger();
  return leases;
}

bool Experience::HasWork() const { return !fault_ && table_.HasWaiting(); }

std::vector<uint64_t> Experience::Renew(const std::string& session,
                                        const std::vector<uint64_t>& lease_ids, TimePoint now) {
  std::vector<uint64_t> lost;
  for (const uint64_t lease_id : lease_ids) {
    if (!table_.Renew(session, lease_id, now)) lost.push_back(lease_id);
  }
  return lost;
}

const PromptLease* Experience::FindLease(uint64_t lease_id) const {
  const WorkItem* item = table_.Find(lease_id);
  return item == nullptr ? nullptr : &item->lease;
}

SubmitVerdict Experience::Submit(const std::string& session, uint64_t lease_id, uint32_t try_number,
                                 TrajectoryGroup group) {
  switch (table_.Check(session, lease_id, try_number)) {
    case LeaseTable::Claim::kStale:
      ++counters_.stale;
      return SubmitVerdict::kStale;
    case LeaseTable::Claim::kDuplicate:
      ++counters_.duplicates;
      return SubmitVerdict::kDuplicate;
    case LeaseTable::Claim::kHeld:
      break;
  }
  switch (group.outcome) {
    case VerdictKind::kInfrastructureError:
      GiveBack(lease_id, group.outcome, "infrastructure", group.reason);
      break;
    case VerdictKind::kRefused:
      Drop(table_.TakeBack(lease_id), group.outcome, "refused", group.reason);
      break;
    case VerdictKind::kScored: {
      PONDER_CHECK(group.lease == *FindLease(lease_id))
          << "the group of lease " << lease_id << " carries another lease";
      const WorkItem item = table_.Accept(lease_id);
      ++counters_.groups_accepted;
      unscored_in_a_row_ = 0;
      if (item.key.training) {
        window_->Fill(item.key.step, item.key.position, std::move(group));
      } else {
        evaluation_->groups.emplace(item.lease.prompt.ordinal, std::move(group));
      }
      break;
    }
  }
  CheckLedger();
  return SubmitVerdict::kAccepted;
}

void Experience::GiveBack(uint64_t lease_id, VerdictKind outcome, const std::string& reason,
                          const std::string& detail) {
  WorkItem item = table_.TakeBack(lease_id);
  ++item.num_failed;
  if (item.num_failed >= options_.max_tries) {
    Drop(item, outcome, reason, detail);
  } else {
    table_.Add(std::move(item));
  }
}

void Experience::Drop(const WorkItem& item, VerdictKind outcome, const std::string& reason,
                      const std::string& detail) {
  ++counters_.dropped[reason];
  ++num_dropped_;
  if (reason == "infrastructure" && ++unscored_in_a_row_ >= options_.max_unscored_prompts) {
    fault_ = std::make_exception_ptr(Error(
        Condition::kUnavailable,
        fmt::format("scoring {} prompts in a row, each tried {} times: expected a verdict, got: {} "
                    "(mend it and start again to go on from the last checkpoint)",
                    unscored_in_a_row_, options_.max_tries, detail)));
  }
  if (!item.key.training) {
    TrajectoryGroup failed;
    failed.lease = item.lease;
    failed.outcome = outcome;
    failed.reason = detail.empty() ? reason : reason + ": " + detail;
    evaluation_->groups.emplace(item.lease.prompt.ordinal, std::move(failed));
    return;
  }
  try {
    AddSlot(window_->Replace({.step = item.key.step,
                              .position = item.key.position,
                              .ordinal = item.lease.prompt.ordinal}));
  } catch (...) {
    fault_ = std::current_exception();
  }
}

void Experience::DropSession(const std::string& session) {
  table_.Forget(session);
  for (const uint64_t lease_id : table_.HeldBy(session)) {
    GiveBack(lease_id, VerdictKind::kInfrastructureError, "session_lost", {});
  }
  CheckLedger();
}

size_t Experience::Expire(TimePoint now) {
  const std::vector<uint64_t> overdue = table_.Overdue(now);
  for (const uint64_t lease_id : overdue) {
    GiveBack(lease_id, VerdictKind::kInfrastructureError, "lease_expired", {});
  }
  counters_.leases_expired += overdue.size();
  CheckLedger();
  return overdue.size();
}

}  // namespace ponder
