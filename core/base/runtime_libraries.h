// Which run-time libraries this process has loaded. Two copies of one of them in a process are two
// sets of globals: crashes, hangs and wrong numbers without a word.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace ponder {

// Name of a library ("libgomp") to the files that it was loaded from.
using RuntimeLibraries = std::map<std::string, std::set<std::string>>;

// The libraries of a /proc/PID/maps text of which a process may have only one: libnccl, libgomp,
// libcudart, libprotobuf, libgrpc, libmpi. A name may carry a build's hash ("libgomp-24e2ab19.so").
// Those that are not loaded are not in the result.
RuntimeLibraries ParseRuntimeLibraries(std::string_view maps);

// Those of this process. Throws Error(kIo) when /proc cannot be read.
RuntimeLibraries LoadedRuntimeLibraries();

// {"libraries": {"libgomp": ["/usr/lib/..."], ...}}: the part of every answer to --self-test.
std::string RuntimeLibrariesJson(const RuntimeLibraries& libraries);

}  // namespace ponder
