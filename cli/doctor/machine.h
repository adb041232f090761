// Reads what the kernel says of processor, memory and limits. Pure functions over the texts of
// /proc and /sys, so that any machine can be tried.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cli/doctor/finding.h"

namespace ponder {

struct Processor {
  std::string name;
  std::set<std::string> flags;
};

// Of a /proc/cpuinfo text; the first processor's.
Processor ParseProcessor(std::string_view cpuinfo);

// "MemAvailable" of a /proc/meminfo text, in bytes; nothing when it is not there.
std::optional<uint64_t> ParseMemory(std::string_view meminfo, std::string_view key);

// Cores that a control group grants, of its cpu.max ("150000 100000"); nothing for no limit.
std::optional<double> ParseCpuLimit(std::string_view cpu_max);

// Bytes of memory.max; nothing for "max".
std::optional<uint64_t> ParseMemoryLimit(std::string_view memory_max);

// What the flags mean for speed.
Finding InstructionsFinding(const Processor& processor);

// `limit`: RLIM_INFINITY for none. Fewer open files than a run needs block it.
Finding OpenFilesFinding(uint64_t limit);

}  // namespace ponder
