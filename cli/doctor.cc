// `ponder doctor`: what of this machine works, what does not, and what to do about it.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console_text.h"
#include "cli/doctor/disk_probe.h"
#include "cli/doctor/finding.h"
#include "cli/doctor/probes.h"
#include "cli/supervisor/launch_plan.h"
#include "core/base/file.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

constexpr uint64_t kDiskProbeBytes = 64'000'000;

struct Arguments {
  std::string run_parent = "runs";
  std::string disk_folder;
  double deadline_s = 30;
  bool as_json = false;
};

int RunDoctor(const Arguments& arguments) {
  if (!arguments.disk_folder.empty()) {
    const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
    WriteToStdout(DiskMeasurementJson(MeasureDisk(*files, arguments.disk_folder, kDiskProbeBytes)));
    return 0;
  }
  const ProbeOptions options{
      .bin_directory = OwnBinDirectory(),
      .run_parent = arguments.run_parent,
      .deadline = std::chrono::milliseconds(static_cast<int64_t>(arguments.deadline_s * 1000))};
  const std::vector<FindingSection> sections{ProbePrograms(options), ProbeMachine(),
                                             ProbeNetwork(),         ProbeDisk(options),
                                             ProbeSandbox(options),  ProbeTerminal()};
  WriteToStdout(arguments.as_json ? JsonOf(sections).dump(2) + "\n"
                                  : TextOf(sections, StyleOfStdout()));
  return ExitCodeOf(sections);
}

}  // namespace

void AddDoctorCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("doctor", "Say what works on this machine, what does not, what to do");
  command->group("Looking at things");
  command->add_flag("--json", arguments->as_json, "As JSON");
  command->add_option("--dir", arguments->run_parent, "Where runs would be written (run.dir)")
      ->capture_default_str();
  command->add_option("--deadline", arguments->deadline_s, "Seconds that one probe may take")
      ->check(RealNumber({.min = 0.1, .max = 3600}))
      ->capture_default_str();
  command->add_option("--disk-probe", arguments->disk_folder)->group("");  // its own child process
  command->footer(
      "Exit code 0 when a run on the CPU would work, else that of the first thing that fails.\n"
      "Example: ponder doctor --dir /scratch/runs");
  command->callback(
      [arguments, chosen] { *chosen = [arguments] { return RunDoctor(*arguments); }; });
}

}  // namespace ponder
