// How the disk below a folder takes what a checkpoint does to it.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"

namespace ponder {

struct DiskMeasurement {
  uint64_t num_bytes = 0;
  double write_s = 0;   // until the file was synced
  double rename_s = 0;  // rename and sync of the folder
};

// Writes `num_bytes` as a checkpoint would into a file of `folder`, which must exist, and removes
// it again. May hang on a dead network file system: call it in a process of its own. Throws
// Error(kIo).
DiskMeasurement MeasureDisk(FileSystem& files, const std::string& folder, uint64_t num_bytes);

// {"bytes": ..., "write_s": ..., "rename_s": ...}: what the process answers.
std::string DiskMeasurementJson(const DiskMeasurement& measurement);

// "ext4", "nfs", "overlay"; the number in hex for an unknown one.
std::string FileSystemName(int64_t magic);
bool IsNetworkFileSystem(int64_t magic);

// `path`, or the nearest folder above it that exists.
std::string NearestExisting(const std::string& path);

}  // namespace ponder
