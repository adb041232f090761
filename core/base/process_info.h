// What the kernel says about a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace ponder {

// A process that no later one with the same number can be taken for.
struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // from boot to its start, in clock ticks
  bool operator==(const ProcessIdentity&) const = default;
};

struct ProcessInfo {
  pid_t parent = 0;
  char state = '?';  // 'R', 'S', 'Z' for a zombie, as in proc(5)
  uint64_t start_ticks = 0;
  uint64_t resident_bytes = 0;
};

// Nothing when there is no such process. A snapshot.
std::optional<ProcessInfo> ReadProcess(pid_t pid);

// Of a process that runs now; start_ticks is 0 when it does not.
ProcessIdentity IdentityOf(pid_t pid);

// What ReadProcess says, if it still is that process and not a zombie.
std::optional<ProcessInfo> ReadLiving(const ProcessIdentity& identity);

// Seconds since a living process started.
double UptimeSeconds(const ProcessInfo& process);

// The rank that Open MPI's launcher gave to a process of the same user; nothing when it has none.
std::optional<int> MpiRankOf(pid_t pid);

}  // namespace ponder
