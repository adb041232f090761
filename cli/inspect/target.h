// What a path on the command line of `ponder inspect` is.
#pragma once

#include <string>

#include "core/base/file.h"

namespace ponder {

enum class TargetKind { kWeightsFile, kModelFolder, kCheckpoint, kRun, kExperiment };

// By what lies there, not by names alone. Throws Error(kIo) when nothing is there, Error(kUsage)
// when it is nothing that can be inspected, with what could be.
TargetKind KindOf(FileSystem& files, const std::string& path);

}  // namespace ponder
