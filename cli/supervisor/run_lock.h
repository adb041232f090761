// Who may use a run folder on this machine.
#pragma once

#include <string>

#include "cli/supervisor/process_log.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/config/experiment.h"

namespace ponder {

// Held by one `ponder up` per run, until this object and its copies in forked processes are gone:
// the kernel gives it back however they end.
class RunLock {
 public:
  // Makes run.dir if need be. Throws Error(kUsage) when another process holds the lock, Error(kIo).
  RunLock(FileSystem& files, const RunConfig& run);

  // True when somebody holds the lock of the run in `run_folder` at this moment. Takes nothing, so
  // it is in nobody's way. Throws Error(kIo).
  static bool IsHeld(const std::string& run_folder);

 private:
  UniqueFd file_;
};

// Moves a run folder, if there is one, to NAME.1 or the next free number. The lock must be held.
// Throws Error(kIo).
void SetAside(FileSystem& files, const std::string& run_directory, const Log& log);

}  // namespace ponder
