// Groups from rank 0 to all ranks.
#pragma once

#include <string>
#include <vector>

#include "core/base/types.h"
#include "trainer/comm/communicator.h"

namespace ponder {

// Broadcasts `text` from `root`; other ranks pass anything. `patient`: the others wait asleep.
void BroadcastString(Communicator& comm, std::string* text, bool patient, int root = 0);

// Rank 0 passes the groups, every rank returns the same ones. Worker, lease, try and latencies stay
// behind, except that rank 0 keeps its latencies, which it reports.
std::vector<TrajectoryGroup> BroadcastGroups(Communicator& comm,
                                             std::vector<TrajectoryGroup> groups);

}  // namespace ponder
