// The file seam: everything that Ponder writes and must survive a kill goes through it, so that
// tests can record every operation and replay any prefix of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// A file open for writing. Not thread safe. Destruction without Close drops unsynced data.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void Append(std::string_view bytes) = 0;
  // Flushes user buffers, then fsync. After a failed sync the file must be treated as lost.
  virtual void Sync() = 0;
  virtual void Close() = 0;
};

// Paths are ordinary paths. All methods throw Error(kIo) that names the path, the operation and
// errno's text (and Error(kBadData) from ReadFile when larger than `max_bytes`). Implementations
// are thread safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<WritableFile> Create(const std::string& path) = 0;  // truncates
  virtual std::unique_ptr<WritableFile> OpenForAppend(const std::string& path) = 0;
  virtual std::string ReadFile(const std::string& path, uint64_t max_bytes) = 0;
  // At most `max_bytes` from `offset` on; fewer only at the end of the file, none behind it. For
  // files that may be larger than memory.
  virtual std::string ReadRange(const std::string& path, uint64_t offset, uint64_t max_bytes);
  virtual bool Exists(const std::string& path) = 0;
  virtual uint64_t FileSize(const std::string& path) = 0;
  virtual void MakeDirectories(const std::string& path) = 0;
  // Names in a folder, sorted. Empty when the folder does not exist.
  virtual std::vector<std::string> List(const std::string& path) = 0;
  // Atomic; replaces a file.
  virtual void Rename(const std::string& from, const std::string& to) = 0;
  // Atomic; fails when `to` exists (renameat2 with RENAME_NOREPLACE).
  virtual void RenameNew(const std::string& from, const std::string& to) = 0;
  // Atomic; both must exist, and each gets the other's name (renameat2 with RENAME_EXCHANGE).
  virtual void Exchange(const std::string& one, const std::string& other) = 0;
  virtual void RemoveFile(const std::string& path) = 0;
  virtual void RemoveTree(const std::string& path) = 0;  // nothing to remove is fine
  virtual void SyncDirectory(const std::string& path) = 0;
  virtual void Truncate(const std::string& path, uint64_t size) = 0;
  virtual uint64_t FreeBytes(const std::string& path) = 0;
  // True when the last component of `path` is a symbolic link. File systems without links say no.
  virtual bool IsSymlink(const std::string& path) {
    static_cast<void>(path);
    return false;
  }
};

// The machine's file system.
std::unique_ptr<FileSystem> MakeRealFileSystem();

// Writes `bytes` so that a kill at any instant leaves the old file or the new one: temporary name
// in the same folder, sync, rename, sync of the folder.
void WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view bytes);

// SHA-256 as 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

// Incremental SHA-256. Not thread safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(std::string_view bytes);
  // Call once, last.
  std::string FinishHex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC32C (Castagnoli), as in iSCSI and TensorBoard records. Continues from `crc` of earlier bytes.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

}  // namespace ponder
