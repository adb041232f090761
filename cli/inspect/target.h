// What a path on the command line of `ponder inspect` is.
#pragma once

#include <string>

#include "core/base/file.h"

namespace ponder {

enum class TargetKind { kWeightsFile, kModelFolder, kCheckpoint, kRun, kExperiment };

// By what lies there, not by names alone. Throws Error(kUsage) when nothing is there,
// with the nearest name, and when it is nothing that can be inspected, with what could be.
TargetKind KindOf(FileSystem& files, const std::string& path);

}  // namespace ponder
