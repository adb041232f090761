// What is known about a run.
#pragma once

#include <string>

#include "cli/monitor/render_run.h"
#include "core/base/file.h"

namespace ponder {

// What is known about a run at this moment, from its folder, the lock and /proc. A status whose
// supervisor is gone counts as killed; a run without a status whose last stage is done, as
// finished. Throws Error(kIo), Error(kBadData).
RunView ReadRun(FileSystem& files, const std::string& run_folder);

}  // namespace ponder
