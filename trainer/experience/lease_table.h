// The open prompts of the experience: which wait, which are leased to whom and until when, and what
// became of past leases. Knows nothing of steps or stages.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/types.h"

namespace ponder {

// Leases are given in ascending order of keys: evaluation first, then training by step and
// position.
struct WorkKey {
  bool training = true;
  int64_t step = 0;       // 0 for an evaluation
  uint64_t position = 0;  // within the step
  auto operator<=>(const WorkKey&) const = default;
};

// A prompt without its group yet.
struct WorkItem {
  WorkKey key;
  // `prompt.ordinal`, purpose, sampling, model, stage and reward_set are the caller's; the table
  // fills in the rest of the prompt at the first lease, and id and try at each.
  PromptLease lease;
  uint32_t num_failed = 0;          // leases that ended without a result; the next lease's try
  bool issued = false;              // has been leased at least once
  std::vector<uint64_t> lease_ids;  // of every try, growing
  // Of the present lease.
  std::string session;
  TimePoint leased_at;
  TimePoint expires_at;
};

// Not thread safe; Experience owns it. Memory: the open items, one answer per session, and the fate
// of the last kMaxPastLeases leases.
class LeaseTable {
 public:
  static constexpr size_t kMaxPastLeases = 1 << 16;

  enum class Claim {
    kHeld,       // the session's live lease
    kDuplicate,  // the prompt of this lease has its group already
    kStale,      // unknown, lost, or another session's
  };

  LeaseTable(Duration lease_time, uint64_t first_lease_id)
      : lease_time_(lease_time), next_lease_id_(first_lease_id) {}

  // Puts an item among those that wait. Its key must be free.
  void Add(WorkItem item);
  bool HasWaiting() const { return !waiting_.empty(); }

  // Leases up to `max_groups` waiting items to `session`, or repeats the live leases of the last
  // answer when `seq` is that answer's. `prompts` is called once per item, before anything changes;
  // what it throws leaves the table as it was. A `seq` below the last answer's throws
  // ProtocolError.
  std::vector<PromptLease> Acquire(const std::string& session, uint64_t seq, uint32_t max_groups,
                                   TimePoint now, const std::function<Prompt(uint64_t)>& prompts);
  // Prolongs the lease. False when `session` does not hold it.
  bool Renew(const std::string& session, uint64_t lease_id, TimePoint now);

  Claim Check(const std::string& session, uint64_t lease_id, uint32_t try_number) const;
  // The item under a live lease; null otherwise. Valid until the table changes.
  const WorkItem* Find(uint64_t lease_id) const;
  // Takes the item of a live lease out because it has its group: its leases are duplicates from now
  // on.
  WorkItem Accept(uint64_t lease_id);
  // Takes the item of a live lease out without a result; Add puts it back.
  WorkItem TakeBack(uint64_t lease_id);
  // Takes every training item out.
  std::vector<WorkItem> RemoveTraining();

  std::vector<uint64_t> HeldBy(const std::string& session) const;
  std::vector<uint64_t> Overdue(TimePoint now) const;
  // Forgets the session's last answer.
  void Forget(const std::string& session) { answers_.erase(session); }

  // The leased item of that kind that was leased first; null when none is leased.
  const WorkItem* LongestLeased(bool training) const;
  size_t num_waiting() const { return waiting_.size(); }
  // Items issued so far, and those of them that are still here.
  uint64_t num_issued() const { return num_issued_; }
  uint64_t num_in_flight() const { return num_in_flight_; }
  uint64_t num_leases() const { return num_leases_; }

 private:
  struct Answer {
    uint64_t seq = 0;
    std::vector<uint64_t> lease_ids;
  };

  // Takes the item of a live lease out of the maps.
  WorkItem Extract(uint64_t lease_id);
  PromptLease LeaseTo(const std::string& session, WorkItem& item, TimePoint now);
  void Remember(const std::vector<uint64_t>& lease_ids, bool accepted);

  const Duration lease_time_;
  uint64_t next_lease_id_;
  std::map<WorkKey, WorkItem> items_;
  std::set<WorkKey> waiting_;
  std::map<uint64_t, WorkKey> leased_;     // by lease id
  std::map<uint64_t, bool> past_;          // lease id -> its prompt has its group
  std::map<std::string, Answer> answers_;  // by session
  uint64_t num_issued_ = 0;
  uint64_t num_in_flight_ = 0;
  uint64_t num_leases_ = 0;
};

}  // namespace ponder
