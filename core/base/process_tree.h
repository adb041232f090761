// Descendants of a process, as the kernel lists them.
#pragma once

#include <sys/types.h>

#include <set>
#include <vector>

namespace ponder {

// Living descendants of `root` (not `root` itself), parents before children. A snapshot: processes
// come and go.
std::vector<pid_t> DescendantsOf(pid_t root);

// Living direct children of `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent);

// SIGKILL to `root` and its descendants.
void KillTree(pid_t root);

// Makes this process the parent of descendants whose own parent dies, so that none can escape.
void AdoptOrphans();

// Kills, with their descendants, and reaps the children of this process that are not in `known`:
// orphans that were adopted. Returns how many.
int KillStrayChildren(const std::set<pid_t>& known);

}  // namespace ponder
