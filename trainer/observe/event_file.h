// TensorBoard event files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/metrics.h"

namespace ponder {

// One record as it lies in the file: length (u64), masked CRC32C of the length, data, masked CRC32C
// of the data, all little endian.
std::string FrameEvent(std::string_view data);

// One file, FOLDER/events.out.tfevents.SECONDS.HOST.PID, appended to. A run that goes on opens a
// new one and says from which step on it replaces what earlier files hold. What other programs show
// of a run is no part of its state: a kill may cut off the last record, which readers pass over.
// Not thread safe.
class EventFile {
 public:
  // Makes folder and file, and writes the version and the start marker of step `first_step`. Throws
  // Error(kIo). `files` is borrowed.
  EventFile(FileSystem& files, const std::string& folder, int64_t first_step);

  // The values of `record` at `step` of the run, each as the curve NAME, or NAME/SET when `set` is
  // not empty. Values that are not finite are left out. Throws Error(kIo).
  void Write(int64_t step, const std::string& set, const MetricRecord& record);

 private:
  std::unique_ptr<WritableFile> file_;
};

}  // namespace ponder
