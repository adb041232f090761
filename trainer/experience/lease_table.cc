#include "trainer/experience/lease_table.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"

namespace ponder {

void LeaseTable::Add(WorkItem item) {
  const WorkKey key = item.key;
  if (item.issued) ++num_in_flight_;
  const bool inserted = items_.emplace(key, std::move(item)).second;
  PONDER_CHECK(inserted) << "position " << key.position << " of step " << key.step
                         << " is open already";
  waiting_.insert(key);
}

PromptLease LeaseTable::LeaseTo(const std::string& session, WorkItem& item, TimePoint now) {
  if (!item.issued) {
    item.issued = true;
    ++num_issued_;
    ++num_in_flight_;
  }
  item.lease.lease_id = next_lease_id_++;
  item.lease.try_number = item.num_failed;
  item.lease.expires_in_ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(lease_time_).count());
  item.lease_ids.push_back(item.lease.lease_id);
  item.session = session;
  item.leased_at = now;
  item.expires_at = now + lease_time_;
  leased_[item.lease.lease_id] = item.key;
  waiting_.erase(item.key);
  ++num_leases_;
  return item.lease;
}

std::vector<PromptLease> LeaseTable::Acquire(const std::string& session, uint64_t seq,
                                             uint32_t max_groups, TimePoint now,
                                             const std::function<Prompt(uint64_t)>& prompts) {
  std::vector<PromptLease> leases;
  const auto last = answers_.find(session);
  if (last != answers_.end()) {
    if (seq < last->second.seq) {
      throw ProtocolError(
          fmt::format("acquiring prompts for session '{}': expected seq >= {}, got {}", session,
                      last->second.seq, seq));
    }
    if (seq == last->second.seq) {
      for (const uint64_t lease_id : last->second.lease_ids) {
        if (Renew(session, lease_id, now)) leases.push_back(Find(lease_id)->lease);
      }
      if (!leases.empty()) return leases;
    }
  }

  std::vector<WorkItem*> chosen;
  for (const WorkKey& key : waiting_) {
    if (chosen.size() == max_groups) break;
    WorkItem& item = items_.at(key);
    if (!item.issued) {
      const uint64_t ordinal = item.lease.prompt.ordinal;
      Prompt prompt = prompts(ordinal);
      PONDER_CHECK(prompt.ordinal == ordinal)
          << "the prompt source was asked for ordinal " << ordinal << ", gave " << prompt.ordinal;
      item.lease.prompt = std::move(prompt);
    }
    chosen.push_back(&item);
  }
  if (chosen.empty()) return leases;

  Answer answer{.seq = seq, .lease_ids = {}};
  for (WorkItem* item : chosen) {
    leases.push_back(LeaseTo(session, *item, now));
    answer.lease_ids.push_back(leases.back().lease_id);
  }
  answers_[session] = std::move(answer);
  return leases;
}

bool LeaseTable::Renew(const std::string& session, uint64_t lease_id, TimePoint now) {
  const auto found = leased_.find(lease_id);
  if (found == leased_.end()) return false;
  WorkItem& item = items_.at(found->second);
  if (item.session != session) return false;
  item.expires_at = now + lease_time_;
  return true;
}

LeaseTable::Claim LeaseTable::Check(const std::string& session, uint64_t lease_id,
                                    uint32_t try_number) const {
  const WorkItem* item = Find(lease_id);
  if (item != nullptr) {
    const bool held = item->session == session && item->lease.try_number == try_number;
    return held ? Claim::kHeld : Claim::kStale;
  }
  const auto past = past_.find(lease_id);
  return past != past_.end() && past->second ? Claim::kDuplicate : Claim::kStale;
}

const WorkItem* LeaseTable::Find(uint64_t lease_id) const {
  const auto found = leased_.find(lease_id);
  return found == leased_.end() ? nullptr : &items_.at(found->second);
}

WorkItem LeaseTable::Extract(uint64_t lease_id) {
  const auto leased = leased_.find(lease_id);
  PONDER_CHECK(leased != leased_.end()) << "lease " << lease_id << " is not live";
  auto node = items_.extract(leased->second);
  leased_.erase(leased);
  --num_in_flight_;
  return std::move(node.mapped());
}

WorkItem LeaseTable::Accept(uint64_t lease_id) {
  WorkItem item = Extract(lease_id);
  Remember(item.lease_ids, true);
  return item;
}

WorkItem LeaseTable::TakeBack(uint64_t lease_id) {
  WorkItem item = Extract(lease_id);
  Remember({lease_id}, false);
  return item;
}

std::vector<WorkItem> LeaseTable::RemoveTraining() {
  std::vector<WorkItem> removed;
  for (auto entry = items_.begin(); entry != items_.end();) {
    if (!entry->first.training) {
      ++entry;
      continue;
    }
    if (waiting_.erase(entry->first) == 0) leased_.erase(entry->second.lease.lease_id);
    if (entry->second.issued) --num_in_flight_;
    removed.push_back(std::move(entry->second));
    entry = items_.erase(entry);
  }
  return removed;
}

void LeaseTable::Remember(const std::vector<uint64_t>& lease_ids, bool accepted) {
  for (const uint64_t lease_id : lease_ids) past_[lease_id] = accepted;
  while (past_.size() > kMaxPastLeases) past_.erase(past_.begin());
}

std::vector<uint64_t> LeaseTable::HeldBy(const std::string& session) const {
  std::vector<uint64_t> lease_ids;
  for (const auto& [lease_id, key] : leased_) {
    if (items_.at(key).session == session) lease_ids.push_back(lease_id);
  }
  return lease_ids;
}

std::vector<uint64_t> LeaseTable::Overdue(TimePoint now) const {
  std::vector<uint64_t> lease_ids;
  for (const auto& [lease_id, key] : leased_) {
    if (items_.at(key).expires_at <= now) lease_ids.push_back(lease_id);
  }
  return lease_ids;
}

const WorkItem* LeaseTable::LongestLeased(bool training) const {
  const WorkItem* longest = nullptr;
  for (const auto& [lease_id, key] : leased_) {
    const WorkItem& item = items_.at(key);
    if (key.training != training) continue;
    if (longest == nullptr || item.leased_at < longest->leased_at) longest = &item;
  }
  return longest;
}

}  // namespace ponder
