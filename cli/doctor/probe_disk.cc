#include <fmt/format.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstring>

#include "cli/doctor/disk_probe.h"
#include "cli/doctor/probes.h"
#include "cli/supervisor/bounded_command.h"
#include "core/base/json.h"

namespace ponder {
namespace {

constexpr size_t kMaxAnswerBytes = 4096;
// A tiny run with its checkpoints.
constexpr uint64_t kNeededBytes = 200'000'000;

Finding SpeedFinding(const ProbeOptions& options, const std::string& folder) {
  ChildSpec spec;
  spec.name = "disk";
  spec.argv = {options.bin_directory + "/ponder", "doctor", "--disk-probe", folder};
  const CommandResult result = RunBounded(spec, options.deadline);
  if (!result.ok()) {
    return Blocking("speed", Condition::kIo, "a test file in " + folder + ": " + result.Explain(),
                    "give run.dir a folder that this user may write, on a disk that answers");
  }
  Finding finding{.name = "speed"};
  try {
    const nlohmann::json answer = ParseJsonStrict(result.out, "its answer", kMaxAnswerBytes);
    const double megabytes = answer.at("bytes").get<double>() / 1e6;
    const double write_s = answer.at("write_s").get<double>();
    finding.text = fmt::format(
        "{:.0f} MB/s: {:.0f} MB written and synced in {:.0f} ms, renamed in {:.1f} ms",
        megabytes / write_s, megabytes, 1e3 * write_s, 1e3 * answer.at("rename_s").get<double>());
    finding.details = answer;
  } catch (const std::exception& error) {
    finding.state = FindingState::kFails;
    finding.text = error.what();
  }
  return finding;
}

// May hang on a dead network file system like any look at it, and so would a run.
std::vector<Finding> SpaceFindings(const std::string& folder) {
  struct statfs status {};
  if (statfs(folder.c_str(), &status) != 0) {
    return {Blocking("space", Condition::kIo, folder + ": " + std::strerror(errno),
                     "give run.dir a folder that exists")};
  }
  const int64_t magic = static_cast<int64_t>(static_cast<uint32_t>(status.f_type));
  Finding kind{.name = "file system", .text = FileSystemName(magic) + ", " + folder};
  if (IsNetworkFileSystem(magic)) {
    kind.state = FindingState::kWarning;
    kind.advice =
        "checkpoints rely on fsync and atomic renames: mount it without 'async', and keep one "
        "writer per run";
  }
  const uint64_t free =
      static_cast<uint64_t>(status.f_bavail) * static_cast<uint64_t>(status.f_bsize);
  Finding space{.name = "space", .text = BytesText(free) + " free"};
  space.details["free_bytes"] = free;
  if (free < kNeededBytes) {
    space.state = FindingState::kWarning;
    space.advice = "even a tiny run wants " + BytesText(kNeededBytes) + ": make room";
  }
  return {kind, space};
}

}  // namespace

FindingSection ProbeDisk(const ProbeOptions& options) {
  const std::string folder = NearestExisting(options.run_parent);
  FindingSection section{"Disk below " + options.run_parent, SpaceFindings(folder)};
  section.findings.push_back(SpeedFinding(options, folder));
  return section;
}

}  // namespace ponder
