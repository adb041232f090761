#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "cli/doctor/machine.h"
#include "cli/doctor/probes.h"

namespace ponder {
namespace {

// Two trainer ranks, a worker and a reward service of a small model, with LibTorch in three of
// them.
constexpr uint64_t kNeededMemoryBytes = uint64_t{1} << 30;
constexpr uint64_t kWantedSharedMemoryBytes = uint64_t{64} << 20;

// A small file of /proc or /sys without its last line feed; empty when there is none.
std::string ReadText(const std::string& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string all = text.str();
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all;
}

// What this process's control group grants; version 2 only.
std::string ControlGroupText(const char* file) {
  std::istringstream groups(ReadText("/proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue;
    std::string text = ReadText("/sys/fs/cgroup" + line.substr(3) + "/" + file);
    if (!text.empty()) return text;
  }
  return ReadText(std::string("/sys/fs/cgroup/") + file);  // inside a container
}

Finding SystemFinding() {
  utsname names{};
  uname(&names);
  return {.name = "system",
          .text = fmt::format("{} {} ({}), glibc {}", names.sysname, names.release, names.machine,
                              gnu_get_libc_version())};
}

Finding CoresFinding(const Processor& processor) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  const int cores = CPU_COUNT(&allowed);
  Finding finding{.name = "cores",
                  .text = Plural(static_cast<uint64_t>(cores), "core") + ", " + processor.name};
  finding.details["cores"] = cores;
  const std::optional<double> limit = ParseCpuLimit(ControlGroupText("cpu.max"));
  if (limit) {
    finding.text += fmt::format("; the control group grants {:.1f}", *limit);
    finding.details["control_group_cores"] = *limit;
  }
  if (std::min(static_cast<double>(cores), limit.value_or(cores)) < 2) {
    finding.state = FindingState::kWarning;
    finding.advice = "a run works but is slow: trainer and worker take turns on one core";
  }
  return finding;
}

Finding MemoryFinding() {
  const std::string meminfo = ReadText("/proc/meminfo");
  const uint64_t total = ParseMemory(meminfo, "MemTotal").value_or(0);
  uint64_t available = ParseMemory(meminfo, "MemAvailable").value_or(total);
  Finding finding{.name = "memory",
                  .text = BytesText(available) + " available of " + BytesText(total)};
  finding.details["total_bytes"] = total;
  if (const auto limit = ParseMemoryLimit(ControlGroupText("memory.max"))) {
    finding.text += "; the control group grants " + BytesText(*limit);
    finding.details["control_group_bytes"] = *limit;
    available = std::min(available, *limit);
  }
  finding.details["available_bytes"] = available;
  if (available < kNeededMemoryBytes) {
    finding.state = FindingState::kWarning;
    finding.advice = "even a tiny run wants " + BytesText(kNeededMemoryBytes) + ": free some";
  }
  return finding;
}

uint64_t SoftLimit(__rlimit_resource resource) {
  rlimit limit{};
  return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

std::string LimitText(uint64_t limit, bool is_bytes) {
  if (limit == RLIM_INFINITY) return "no limit";
  return "at most " + (is_bytes ? BytesText(limit) : CountText(limit));
}

Finding SharedMemoryFinding() {
  struct statvfs status {};
  if (statvfs("/dev/shm", &status) != 0) {
    return {.name = "/dev/shm",
            .state = FindingState::kWarning,
            .text = "not there",
            .advice = "Open MPI then talks through files in /tmp; mount a tmpfs on /dev/shm"};
  }
  const uint64_t free = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  Finding finding{.name = "/dev/shm", .text = BytesText(free) + " free"};
  finding.details["free_bytes"] = free;
  if (free < kWantedSharedMemoryBytes) {
    finding.state = FindingState::kWarning;
    finding.advice = "ranks on one machine exchange through it: give a container --shm-size=1g";
  }
  return finding;
}

Finding ClockFinding() {
  const std::string source =
      ReadText("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  Finding finding{.name = "clock", .text = source.empty() ? "source not known" : source};
  if (source == "hpet" || source == "acpi_pm") {
    finding.state = FindingState::kWarning;
    finding.advice = "reading this clock is slow: timings cost more than they should";
  }
  return finding;
}

}  // namespace

FindingSection ProbeMachine() {
  const Processor processor = ParseProcessor(ReadText("/proc/cpuinfo"));
  const uint64_t processes = SoftLimit(RLIMIT_NPROC);
  Finding locked{.name = "locked memory",
                 .state = FindingState::kWorks,
                 .text = LimitText(SoftLimit(RLIMIT_MEMLOCK), /*is_bytes=*/true) +
                         "; only devices and InfiniBand need more"};
  return {"Machine and limits",
          {SystemFinding(),
           CoresFinding(processor),
           InstructionsFinding(processor),
           MemoryFinding(),
           OpenFilesFinding(SoftLimit(RLIMIT_NOFILE)),
           {.name = "processes", .text = LimitText(processes, /*is_bytes=*/false)},
           locked,
           SharedMemoryFinding(),
           ClockFinding()}};
}

}  // namespace ponder
