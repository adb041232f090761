#include "cli/supervisor/run_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/base/error.h"

namespace ponder {
namespace {

// Beside the folder and not in it, so that it stays where it is when the folder is set aside.
std::string LockPath(const std::string& run_folder) {
  const std::filesystem::path folder(run_folder);
  return (folder.parent_path() / ("." + folder.filename().string() + ".lock")).string();
}

// The whole file, by this open file (F_OFD_*): another one conflicts with it even in one process,
// and asking for the holder takes nothing.
struct flock WholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

RunLock::RunLock(FileSystem& files, const RunConfig& run) {
  files.MakeDirectories(run.dir);
  const std::string path = LockPath(run.dir + "/" + run.name);
  file_ = UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_.valid()) throw Error(Condition::kIo, "open of " + path + ": " + std::strerror(errno));
  struct flock lock = WholeFile();
  if (fcntl(file_.get(), F_OFD_SETLK, &lock) == 0) return;
  if (errno != EAGAIN && errno != EACCES) {
    throw Error(Condition::kIo, "lock of " + path + ": " + std::strerror(errno));
  }
  throw Error(Condition::kUsage, "start of run " + run.name +
                                     ": another 'ponder up' is running it "
                                     "(stop it with 'ponder stop " +
                                     run.dir + "/" + run.name + "', or choose another run.name)");
}

bool RunLock::IsHeld(const std::string& run_folder) {
  const std::string path = LockPath(run_folder);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return false;
  struct flock lock = WholeFile();
  if (!file.valid() || fcntl(file.get(), F_OFD_GETLK, &lock) != 0) {
    throw Error(Condition::kIo, "look at lock " + path + ": " + std::strerror(errno));
  }
  return lock.l_type != F_UNLCK;
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
