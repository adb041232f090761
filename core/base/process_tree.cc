#include "core/base/process_tree.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/base/process_info.h"

namespace ponder {
namespace {

std::map<pid_t, ProcessInfo> AllProcesses() {
  std::map<pid_t, ProcessInfo> processes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (const std::optional<ProcessInfo> process = ReadProcess(pid)) processes[pid] = *process;
  }
  return processes;
}

std::multimap<pid_t, pid_t> LivingChildren() {
  std::multimap<pid_t, pid_t> children;
  for (const auto& [pid, entry] : AllProcesses()) {
    if (entry.state != 'Z' && entry.state != 'X') children.emplace(entry.parent, pid);
  }
  return children;
}

}  // namespace

std::vector<pid_t> DescendantsOf(pid_t root) {
  const std::multimap<pid_t, pid_t> children = LivingChildren();
  std::vector<pid_t> found{root};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [begin, end] = children.equal_range(found[i]);
    for (auto it = begin; it != end; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  const std::multimap<pid_t, pid_t> children = LivingChildren();
  std::vector<pid_t> found;
  const auto [begin, end] = children.equal_range(parent);
  for (auto it = begin; it != end; ++it) found.push_back(it->second);
  return found;
}

void KillTree(pid_t root) {
  // Descendants are listed before the root dies, since they would change parents.
  const std::vector<pid_t> descendants = DescendantsOf(root);
  kill(root, SIGKILL);
  for (const pid_t pid : descendants) kill(pid, SIGKILL);
}

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

int KillStrayChildren(const std::set<pid_t>& known) {
  int killed = 0;
  for (const auto& [pid, entry] : AllProcesses()) {
    if (entry.parent != getpid() || known.count(pid) > 0) continue;
    if (entry.state != 'Z') {
      KillTree(pid);
      ++killed;
    }
    waitpid(pid, nullptr, 0);
  }
  return killed;
}

}  // namespace ponder
