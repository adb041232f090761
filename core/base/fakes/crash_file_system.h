// A file system in memory that knows what a disk has promised: it records every operation, and
// builds the disks that a power cut after any of them may leave behind.
//
// The model is POSIX without the favours of a particular file system (Pillai et al., "All file
// systems are not created equal", OSDI 2014): file data is durable after fsync of the file, an
// entry of a folder after fsync of the folder; until then each may be there or not, in any
// combination.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/base/philox.h"

namespace ponder {

// A file or a folder, by number: 0 is the root folder.
struct DiskNode {
  bool is_folder = false;
  std::string data;                    // of a file
  std::map<std::string, int> entries;  // of a folder: name to node
};
using Disk = std::map<int, DiskNode>;

// One thing that happened to the disk.
struct DiskOperation {
  enum class Kind {
    kCreate,
    kAppend,
    kCut,
    kSetEntry,
    kRemoveEntry,
    kRename,
    kExchange,
    kSyncFile,
    kSyncFolder
  };
  Kind kind = Kind::kCreate;
  int node = 0;      // what is created, written, synced, or linked
  int folder = 0;    // whose entries change
  std::string name;  // the entry; of kRename the old one
  std::string text;  // data of kAppend, new name of kRename, the other entry of kExchange
  bool is_folder = false;
  uint64_t size = 0;  // of kCut
  int other = 0;      // of kExchange: what `text` was
};

// What the power cut does to operations that no sync has made durable.
struct PowerCut {
  bool keeps_data = true;
  bool keeps_entries = true;
  // Of the last operation, when it is an append: how many of its bytes are there.
  uint64_t torn_bytes = ~uint64_t{0};
  // When set, each unsynced entry is there or not, and each unsynced block of 512 bytes is there or
  // zero, by these draws.
  const RandomStream* random = nullptr;
};

// The disk after the first `count` operations and a power cut.
Disk DiskAfter(const std::vector<DiskOperation>& operations, size_t count, const PowerCut& cut);

// Not thread safe. Throws Error(kIo) where a real one would.
class CrashFileSystem : public FileSystem {
 public:
  CrashFileSystem();
  explicit CrashFileSystem(Disk disk);

  const std::vector<DiskOperation>& operations() const { return operations_; }
  void SetFreeBytes(uint64_t free_bytes) { free_bytes_ = free_bytes; }
  // From now on the `nth` (from 0) operation that takes room fails as on a full disk: it alone, or
  // it and all after it. Removing always works.
  void FailNth(uint64_t nth, bool and_all_after);
  void StopFailing();
  // Operations that take room since FailNth.
  uint64_t num_charged() const { return num_charged_; }
  bool has_failed() const { return has_failed_; }

  std::unique_ptr<WritableFile> Create(const std::string& path) override;
  std::unique_ptr<WritableFile> OpenForAppend(const std::string& path) override;
  std::string ReadFile(const std::string& path, uint64_t max_bytes) override;
  bool Exists(const std::string& path) override;
  uint64_t FileSize(const std::string& path) override;
  void MakeDirectories(const std::string& path) override;
  std::vector<std::string> List(const std::string& path) override;
  void Rename(const std::string& from, const std::string& to) override;
  void RenameNew(const std::string& from, const std::string& to) override;
  void Exchange(const std::string& one, const std::string& other) override;
  void RemoveFile(const std::string& path) override;
  void RemoveTree(const std::string& path) override;
  void SyncDirectory(const std::string& path) override;
  void Truncate(const std::string& path, uint64_t size) override;
  uint64_t FreeBytes(const std::string& path) override;

 private:
  class File;
  struct Place {
    int folder = 0;
    std::string name;
    int node = -1;  // -1: no such entry
  };

  // Finds `path`; throws when a folder on the way is missing.
  Place Find(const std::string& path) const;
  int FindNode(const std::string& path, const char* what) const;
  int Make(const Place& place, bool is_folder);
  void Record(DiskOperation operation);
  void RemoveBelow(const Place& place);
  // Counts an operation that takes room; true when it must fail.
  bool Charge();
  void ChargeOrThrow(const std::string& what);

  Disk disk_;
  int next_node_ = 1;
  std::vector<DiskOperation> operations_;
  uint64_t free_bytes_ = uint64_t{1} << 40;
  bool failing_ = false;
  bool fails_all_after_ = false;
  uint64_t fail_at_ = 0;
  uint64_t num_charged_ = 0;
  bool has_failed_ = false;
};

}  // namespace ponder
