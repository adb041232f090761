// Who is connected: workers and reward services by session, and the list of reward services that
// everybody is told. Pure: time comes in as an argument.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace ponder {

enum class SessionRole : uint8_t { kWorker, kReward };

struct Session {
  std::string id;  // unique per process start
  SessionRole role = SessionRole::kWorker;
  std::string name;     // stable over restarts
  std::string address;  // host:port that peers call; reward services only
  TimePoint last_seen;
  bool told_end = false;  // has been answered that the run is over
};

// Not thread safe. Holds at most kMaxSessions.
class SessionTable {
 public:
  static constexpr size_t kMaxSessions = 4096;

  // A session that is not heard of for `timeout` is dead.
  explicit SessionTable(Duration timeout) : timeout_(timeout) {}

  // Takes a newcomer in, or updates a session that registers again. Returns the ids of the sessions
  // that it replaces: those of the same role and name. Throws Error(kExhausted) when the table is
  // full.
  std::vector<std::string> Register(Session session, TimePoint now);
  // Notes a sign of life. Null when the session is unknown.
  Session* Touch(const std::string& id, TimePoint now);
  bool Knows(const std::string& id) const { return sessions_.contains(id); }
  // The session, if it is known, has been told that the run is over.
  void NoteTold(const std::string& id);
  // Removes and returns the dead.
  std::vector<Session> Expire(TimePoint now);

  // Grows whenever reward_addresses() changes; starts at 1, so that 0 is older than every list.
  uint64_t peers_version() const { return peers_version_; }
  // In order of the services' names.
  const std::vector<std::string>& reward_addresses() const { return reward_addresses_; }
  size_t Count(SessionRole role) const;
  // Sessions that do not know yet that the run is over.
  size_t NumNotTold() const;

 private:
  void RefreshPeers();

  const Duration timeout_;
  std::map<std::string, Session> sessions_;  // by id
  uint64_t peers_version_ = 1;
  std::vector<std::string> reward_addresses_;
};

}  // namespace ponder
