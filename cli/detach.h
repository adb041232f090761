// `ponder up` in the background.
#pragma once

#include <functional>
#include <string>

#include "core/base/file.h"

namespace ponder {

// Runs `supervise` in a process of a session of its own, whose output goes to the log `log_path`,
// and waits until the run in `run_folder` is healthy or has ended. Returns 0 when it is healthy and
// goes on in the background; when it has ended, writes what it said to stderr and returns its code.
// Throws Error(kDeadline) when neither comes, Error(kIo). Locks that the caller holds are held by
// the new process too. Uses fork: the caller must not hold gRPC objects or threads.
int RunDetached(FileSystem& files, const std::string& run_folder, const std::string& log_path,
                const std::function<int()>& supervise);

}  // namespace ponder
