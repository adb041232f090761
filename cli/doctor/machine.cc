#include "cli/doctor/machine.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>
#include <sstream>

namespace ponder {
namespace {

// Sockets, logs and shards of a run with a few dozen workers.
constexpr uint64_t kWantedOpenFiles = 1024;
constexpr uint64_t kNeededOpenFiles = 128;

// The value after "KEY<tabs>: " of the first line with that key.
std::string ValueOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (colon == 0 || name != key) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string_view::npos ? std::string() : std::string(line.substr(begin));
  }
  return {};
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

Processor ParseProcessor(std::string_view cpuinfo) {
  Processor processor;
  processor.name = ValueOf(cpuinfo, "model name");
  std::istringstream flags(ValueOf(cpuinfo, "flags"));
  for (std::string flag; flags >> flag;) processor.flags.insert(flag);
  return processor;
}

std::optional<uint64_t> ParseMemory(std::string_view meminfo, std::string_view key) {
  const std::optional<uint64_t> kilobytes = Number(ValueOf(meminfo, key));
  if (!kilobytes) return std::nullopt;
  return *kilobytes * 1024;
}

std::optional<double> ParseCpuLimit(std::string_view cpu_max) {
  const size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> quota = Number(cpu_max.substr(0, space));
  const std::optional<uint64_t> period = Number(cpu_max.substr(space + 1));
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<uint64_t> ParseMemoryLimit(std::string_view memory_max) { return Number(memory_max); }

Finding InstructionsFinding(const Processor& processor) {
  constexpr std::pair<const char*, const char*> kKnown[] = {{"avx2", "AVX2"},
                                                            {"fma", "FMA"},
                                                            {"avx512f", "AVX-512"},
                                                            {"avx512_bf16", "AVX-512 bf16"},
                                                            {"avx512_vnni", "AVX-512 VNNI"},
                                                            {"amx_bf16", "AMX bf16"}};
  std::string has;
  std::string lacks;
  nlohmann::ordered_json details;
  for (const auto& [flag, name] : kKnown) {
    const bool there = processor.flags.contains(flag);
    std::string& list = there ? has : lacks;
    list += (list.empty() ? "" : ", ") + std::string(name);
    details[flag] = there;
  }
  Finding finding{.name = "instructions", .text = has, .details = details};
  if (!lacks.empty()) finding.text += (has.empty() ? "without " : "; without ") + lacks;
  if (!processor.flags.contains("avx2")) {
    finding.state = FindingState::kWarning;
    finding.advice = "without AVX2 everything is several times slower: use a newer processor";
  }
  return finding;
}

Finding OpenFilesFinding(uint64_t limit) {
  if (limit != RLIM_INFINITY && limit < kNeededOpenFiles) {
    return Blocking("open files", Condition::kExhausted, "at most " + CountText(limit),
                    "raise the limit: ulimit -n " + std::to_string(kWantedOpenFiles));
  }
  Finding finding{.name = "open files",
                  .text = limit == RLIM_INFINITY ? "no limit" : "at most " + CountText(limit)};
  if (limit < kWantedOpenFiles) {
    finding.state = FindingState::kWarning;
    finding.advice = "for many workers raise it: ulimit -n " + std::to_string(kWantedOpenFiles);
  }
  return finding;
}

}  // namespace ponder
