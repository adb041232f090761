// The runs that a command line names.
#pragma once

#include <string>
#include <vector>

#include "core/base/file.h"

namespace ponder {

// Where runs are looked for by name: the default of run.dir.
inline constexpr const char* kRunsFolder = "runs";

// The run folder that `run` names: a folder, or a name below runs/. Throws Error(kUsage) with the
// nearest names when there is none.
std::string FindRun(FileSystem& files, const std::string& run);

// Every run folder below runs/, sorted by name.
std::vector<std::string> AllRuns(FileSystem& files);

// The last part of the folder's path.
std::string NameOfRun(const std::string& run_folder);

}  // namespace ponder
