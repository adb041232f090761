#include "cli/supervisor/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

namespace ponder {

RunLock::RunLock(FileSystem& files, const RunConfig& run) {
  files.MakeDirectories(run.dir);
  // Beside the folder and not in it, so that it stays where it is when the folder is set aside.
  const std::string path = run.dir + "/." + run.name + ".lock";
  file_ = UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_.valid()) throw Error(Condition::kIo, "open of " + path + ": " + std::strerror(errno));
  if (flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) {
    throw Error(Condition::kIo, "lock of " + path + ": " + std::strerror(errno));
  }
  throw Error(Condition::kUsage, "start of run " + run.name +
                                     ": another 'ponder up' is running it "
                                     "(its lock is " +
                                     path + "; stop it, or choose another run.name)");
}

void SetAside(FileSystem& files, const std::string& run_directory, const Log& log) {
  if (!files.Exists(run_directory)) return;
  int number = 1;
  while (files.Exists(run_directory + "." + std::to_string(number))) ++number;
  const std::string kept = run_directory + "." + std::to_string(number);
  files.RenameNew(run_directory, kept);
  log.Info("a new run; the old one is kept as " + kept);
}

}  // namespace ponder
