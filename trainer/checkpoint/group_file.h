// Groups as bytes: experience/groups.bin of a checkpoint, and what rank 0 broadcasts.
//
// Eight bytes "PNDRGRP" and the format version, u64 count of groups; then records, each u32 length,
// u32 CRC32C, protobuf message. A group is a PromptLease, a SubmitGroupHeader (outcome, reason,
// number of trajectories) and its Trajectories. Integers are little endian.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"

namespace ponder {

// Leaves out who made a group and how: lease id, try, expiry, worker, latencies. Equal runs thus
// write equal bytes, whatever happened to their workers.
std::string SerializeGroups(const std::vector<TrajectoryGroup>& groups);

// Throws CheckpointError(kBadData) naming `source` and the byte offset: truncated, extra bytes, a
// wrong checksum, a message that breaks the wire's rules.
std::vector<TrajectoryGroup> ParseGroups(std::string_view bytes, const std::string& source);

}  // namespace ponder
