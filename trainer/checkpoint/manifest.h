// MANIFEST.json: what a checkpoint folder holds, byte for byte. A folder is a checkpoint if and
// only if its manifest is intact and every file in it has the size, the CRC32C and the SHA-256
// written there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"

namespace ponder {

inline constexpr const char* kManifestName = "MANIFEST.json";

// One file of a folder.
struct FileRecord {
  std::string path;  // relative to the folder, '/' between components
  uint64_t size = 0;
  uint32_t crc32c = 0;
  std::string sha256;  // 64 lower-case hex digits
  bool operator==(const FileRecord&) const = default;

  // For another rank's message to rank 0. FromJson throws CheckpointError(kBadData) naming
  // `source`.
  std::string ToJson() const;
  static FileRecord FromJson(std::string_view json, const std::string& source);
};

// Version 1 is the first. A reader takes the current format version and the one before it; there is
// none before 1.
inline constexpr uint32_t kManifestFormatVersion = 1;

struct Manifest {
  uint32_t format_version = kManifestFormatVersion;
  int64_t step = 0;                          // of the run
  uint32_t attempt = 0;                      // of the writer; no part of what is compared
  uint32_t world_size = 1;                   // ranks that wrote; readers may have another number
  std::map<std::string, uint64_t> versions;  // of each model, by name
  std::string config_digest;                 // SHA-256 of the resolved experiment
  std::vector<FileRecord> files;             // sorted by path
  bool operator==(const Manifest&) const = default;

  uint64_t total_bytes() const;
  // The same state, whoever wrote it: step, versions and files are equal. The attempt, the number
  // of ranks and the keys that may change during a run differ between starts of one run.
  bool SameStateAs(const Manifest& other) const;
  // Ends with the digest of all the rest. There is one text for one manifest.
  std::string ToJson() const;
};

// Throws CheckpointError(kBadData) naming `source`: not the text that ToJson writes, a digest that
// does not fit, an unknown format version, unsafe or repeated paths.
Manifest ParseManifest(std::string_view json, const std::string& source);

// True for a relative path below a folder: no empty, "." or ".." component, no leading '/', no NUL
// or backslash, not the manifest itself.
bool IsSafeRelativePath(std::string_view path);

// The record of a file with this content. Throws Error(kInternal) when `relative_path` is unsafe.
FileRecord RecordOf(const std::string& relative_path, std::string_view bytes);

// Reads only the manifest of `directory`. Throws CheckpointError(kBadData).
Manifest ReadManifest(FileSystem& files, const std::string& directory);

// Checks one file of `directory` against its record, in pieces. Throws CheckpointError(kBadData)
// that names the file and what is wrong: missing, a symbolic link on the way, wrong size, CRC32C or
// SHA-256.
void VerifyFile(FileSystem& files, const std::string& directory, const FileRecord& record);

// VerifyFile, and the contents.
std::string ReadVerified(FileSystem& files, const std::string& directory, const FileRecord& record);

// ReadManifest and VerifyFile of every file.
Manifest VerifyDirectory(FileSystem& files, const std::string& directory);

}  // namespace ponder
