// A folder that appears at once, whole and durable, or not at all: the protocol that checkpoints
// and stage starts share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "trainer/checkpoint/manifest.h"

namespace ponder {

inline constexpr std::string_view kTemporaryPrefix = ".tmp-";
inline constexpr std::string_view kTrashPrefix = ".trash-";

// Writes one file of a folder that is being staged, flushed and synced, and syncs the sub-folders
// on the way. Ranks call it for their own files and send the record to rank 0. Throws Error(kIo).
FileRecord WriteCheckpointFile(FileSystem& files, const std::string& directory,
                               const std::string& relative_path, std::string_view bytes);

// Makes `path` and syncs the parent of every folder that was made. Throws Error(kIo).
void MakeDirectoriesDurably(FileSystem& files, const std::string& path);

// `path` without its last component; "." when there is only one.
std::string ParentOf(const std::string& path);

// What to do with a folder of the same name that verifies.
enum class IfPresent { kRefuse, kReplace };

// One folder PARENT/NAME in the making, as PARENT/.tmp-NAME-UNIQUE. Destruction without Publish
// removes it (best effort: a reader ignores and removes leftovers anyway). Not thread safe.
class StagedDirectory {
 public:
  // Makes the temporary folder; throws CheckpointError(kIo) when another writer has the same one.
  // `files` is borrowed.
  StagedDirectory(FileSystem& files, std::string parent, std::string name,
                  const std::string& unique);
  ~StagedDirectory();
  StagedDirectory(const StagedDirectory&) = delete;
  StagedDirectory& operator=(const StagedDirectory&) = delete;

  void AddFile(const std::string& relative_path, std::string_view bytes);
  // A file that another process wrote with WriteCheckpointFile.
  void AddRecord(FileRecord record);
  // Writes the manifest (files are filled in here), syncs everything, reads it all back and checks
  // it. After that the folder is ready for Publish, and no file may be added.
  const Manifest& Seal(Manifest manifest);
  // Moves the folder to its name and syncs the parent. A folder of that name that does not verify
  // is replaced. One that verifies is exchanged for this one, atomically, with kReplace; with
  // kRefuse it throws CheckpointError(kIo): another writer was faster.
  void Publish(IfPresent if_present);

  const std::string& directory() const { return directory_; }
  std::string final_path() const { return parent_ + "/" + name_; }

 private:
  FileSystem& files_;
  const std::string parent_;
  const std::string name_;
  const std::string unique_;
  const std::string directory_;
  Manifest manifest_;
  std::vector<FileRecord> records_;
  bool published_ = false;
};

}  // namespace ponder
