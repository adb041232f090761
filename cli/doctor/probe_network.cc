#include <fmt/format.h>

#include <fstream>

#include "cli/doctor/probes.h"
#include "cli/supervisor/launch_plan.h"

namespace ponder {
namespace {

Finding LoopbackFinding() {
  try {
    const uint16_t port = PickFreeLoopbackPort();
    return {.name = "loopback", .text = fmt::format("ports of 127.0.0.1 can be bound ({})", port)};
  } catch (const Error& error) {
    return Blocking("loopback", Condition::kIo, error.what(),
                    "bring the interface up: ip link set lo up");
  }
}

Finding EphemeralFinding() {
  std::ifstream stream("/proc/sys/net/ipv4/ip_local_port_range");
  uint64_t first = 0;
  uint64_t last = 0;
  if (!(stream >> first >> last)) {
    return {.name = "port range", .state = FindingState::kNotNeeded, .text = "not known"};
  }
  Finding finding{.name = "port range",
                  .text = fmt::format("{} to {} for outgoing connections", first, last)};
  if (last < first + 1000) {
    finding.state = FindingState::kWarning;
    finding.advice = "hundreds of workers would run out: widen net.ipv4.ip_local_port_range";
  }
  return finding;
}

}  // namespace

FindingSection ProbeNetwork() { return {"Network", {LoopbackFinding(), EphemeralFinding()}}; }

}  // namespace ponder
