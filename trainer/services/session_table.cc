#include "trainer/services/session_table.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ponder {

std::vector<std::string> SessionTable::Register(Session session, TimePoint now) {
  std::vector<std::string> replaced;
  for (const auto& [id, known] : sessions_) {
    if (id != session.id && known.role == session.role && known.name == session.name) {
      replaced.push_back(id);
    }
  }
  for (const std::string& id : replaced) sessions_.erase(id);
  if (!sessions_.contains(session.id) && sessions_.size() >= kMaxSessions) {
    throw Error(Condition::kExhausted, "registering '" + session.name + "': expected at most " +
                                           std::to_string(kMaxSessions) +
                                           " sessions, all are in use");
  }
  session.last_seen = now;
  std::string id = session.id;
  sessions_.insert_or_assign(std::move(id), std::move(session));
  RefreshPeers();
  return replaced;
}

Session* SessionTable::Touch(const std::string& id, TimePoint now) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return nullptr;
  found->second.last_seen = now;
  return &found->second;
}

void SessionTable::NoteTold(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) found->second.told_end = true;
}

std::vector<Session> SessionTable::Expire(TimePoint now) {
  std::vector<Session> dead;
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    if (now - entry->second.last_seen < timeout_) {
      ++entry;
      continue;
    }
    dead.push_back(std::move(entry->second));
    entry = sessions_.erase(entry);
  }
  if (!dead.empty()) RefreshPeers();
  return dead;
}

size_t SessionTable::Count(SessionRole role) const {
  return static_cast<size_t>(
      std::count_if(sessions_.begin(), sessions_.end(),
                    [role](const auto& entry) { return entry.second.role == role; }));
}

size_t SessionTable::NumNotTold() const {
  return static_cast<size_t>(
      std::count_if(sessions_.begin(), sessions_.end(),
                    [](const auto& entry) { return !entry.second.told_end; }));
}

void SessionTable::RefreshPeers() {
  std::map<std::string, std::string> by_name;
  for (const auto& [id, session] : sessions_) {
    if (session.role == SessionRole::kReward) by_name[session.name] = session.address;
  }
  std::vector<std::string> addresses;
  for (const auto& [name, address] : by_name) addresses.push_back(address);
  if (addresses == reward_addresses_) return;
  reward_addresses_ = std::move(addresses);
  ++peers_version_;
}

}  // namespace ponder
