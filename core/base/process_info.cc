#include "core/base/process_info.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace ponder {
namespace {

std::string ProcPath(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

std::optional<ProcessInfo> ReadProcess(pid_t pid) {
  std::ifstream file(ProcPath(pid, "stat"));
  std::string line;
  std::getline(file, line);
  // The second field is a name in parentheses that may hold anything.
  const size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(end_of_name + 1));
  ProcessInfo process;
  fields >> process.state >> process.parent;
  constexpr int kFieldsBetweenParentAndStart = 17;
  std::string skipped;
  for (int i = 0; i < kFieldsBetweenParentAndStart; ++i) fields >> skipped;
  int64_t resident_pages = 0;
  fields >> process.start_ticks >> skipped >> resident_pages;
  if (!fields) return std::nullopt;
  const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  process.resident_bytes = static_cast<uint64_t>(std::max<int64_t>(0, resident_pages) * page_bytes);
  return process;
}

ProcessIdentity IdentityOf(pid_t pid) {
  const std::optional<ProcessInfo> process = ReadProcess(pid);
  return {pid, process ? process->start_ticks : 0};
}

std::optional<ProcessInfo> ReadLiving(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return std::nullopt;
  std::optional<ProcessInfo> process = ReadProcess(identity.pid);
  if (!process || process->start_ticks != identity.start_ticks) return std::nullopt;
  if (process->state == 'Z' || process->state == 'X') return std::nullopt;
  return process;
}

double UptimeSeconds(const ProcessInfo& process) {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double started =
      static_cast<double>(process.start_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::max(0.0, static_cast<double>(now.tv_sec) - started);
}

std::optional<int> MpiRankOf(pid_t pid) {
  std::ifstream file(ProcPath(pid, "environ"));
  constexpr std::string_view kName = "OMPI_COMM_WORLD_RANK=";
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (!entry.starts_with(kName)) continue;
    int rank = 0;
    const char* begin = entry.data() + kName.size();
    const auto [end, error] = std::from_chars(begin, entry.data() + entry.size(), rank);
    if (error == std::errc() && end != begin) return rank;
  }
  return std::nullopt;
}

}  // namespace ponder
