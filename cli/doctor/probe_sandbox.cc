// Layers that programs from outside would run in. Nothing of a run on the CPU needs them as long as
// no reward runs untrusted code.
#include <sys/prctl.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "cli/doctor/probes.h"
#include "cli/supervisor/bounded_command.h"

namespace ponder {
namespace {

CommandResult Try(const ProbeOptions& options, std::vector<std::string> argv) {
  ChildSpec spec;
  spec.name = argv.front();
  spec.argv = std::move(argv);
  return RunBounded(spec, options.deadline);
}

std::string WhyNot(const std::string& program, const CommandResult& result) {
  if (result.problem.find("cannot execute") != std::string::npos) {
    return program + " is not installed";
  }
  return program + ": " + result.Explain();
}

Finding Layer(const std::string& name, bool works, const std::string& works_text,
              const std::string& fails_text, const std::string& advice) {
  if (works) return {.name = name, .text = works_text};
  return {.name = name, .state = FindingState::kNotNeeded, .text = fails_text, .advice = advice};
}

}  // namespace

FindingSection ProbeSandbox(const ProbeOptions& options) {
  const CommandResult namespaces = Try(options, {"unshare", "--user", "--map-root-user", "true"});
  const CommandResult bubblewrap =
      Try(options, {"bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"});
  const bool has_seccomp = prctl(PR_GET_SECCOMP) >= 0;
  const bool has_cgroup2 = access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0;
  const std::string advice = "only for rewards that run untrusted programs: ";
  return {
      "Sandbox",
      {Layer("namespaces", namespaces.ok(), "this user may make user namespaces",
             WhyNot("unshare", namespaces), advice + "sysctl kernel.unprivileged_userns_clone=1"),
       Layer("bubblewrap", bubblewrap.ok(), "starts with all namespaces of its own",
             WhyNot("bwrap", bubblewrap), advice + "apt-get install bubblewrap"),
       Layer("seccomp", has_seccomp, "the kernel filters system calls",
             "the kernel does not filter system calls",
             advice + "use a kernel with CONFIG_SECCOMP_FILTER"),
       Layer("cgroup v2", has_cgroup2, "mounted", "not mounted",
             advice + "boot with systemd.unified_cgroup_hierarchy=1")}};
}

}  // namespace ponder
