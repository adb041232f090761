#include "trainer/checkpoint/manifest.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "trainer/checkpoint/json_object.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxManifestBytes = 64u << 20;
// Memory that the check of a file of any size takes.
constexpr uint64_t kPieceBytes = 4u << 20;
// The key of the self digest.
constexpr const char* kDigestKey = "sha256";

[[noreturn]] void Refuse(const std::string& what) {
  throw CheckpointError(Condition::kBadData, what);
}

nlohmann::json JsonOf(const FileRecord& record) {
  return {{"path", record.path},
          {"size", record.size},
          {"crc32c", record.crc32c},
          {"sha256", record.sha256}};
}

FileRecord RecordFrom(const nlohmann::json& json, const std::string& source) {
  JsonObject object(json, source);
  FileRecord record;
  record.path = object.Text("path");
  record.size = object.U64("size");
  record.crc32c = object.U32("crc32c");
  record.sha256 = object.Digest("sha256");
  object.Finish();
  if (!IsSafeRelativePath(record.path)) {
    Refuse("reading " + source + ": expected a path inside the folder, got '" + record.path + "'");
  }
  return record;
}

// One text for one object: two spaces of indent, sorted keys, one line feed at the end.
std::string TextOf(const nlohmann::json& json) { return json.dump(2) + "\n"; }

std::string DigestOf(nlohmann::json json) {
  json.erase(kDigestKey);
  return Sha256Hex(TextOf(json));
}

// A link could lead out of the folder, or into another checkpoint whose retention removes it.
void RefuseLinks(FileSystem& files, const std::string& directory, const FileRecord& record) {
  for (size_t end = record.path.find('/');; end = record.path.find('/', end + 1)) {
    const std::string part = directory + "/" + record.path.substr(0, end);
    if (files.IsSymlink(part)) {
      Refuse("verifying " + part + ": expected a file or folder, got a symbolic link");
    }
    if (end == std::string::npos) break;
  }
}

// Checks one file of a checkpoint against its record, piece by piece; `take` gets every piece.
template <typename Take>
void CheckFile(FileSystem& files, const std::string& directory, const FileRecord& record,
               const Take& take) {
  RefuseLinks(files, directory, record);
  const std::string path = directory + "/" + record.path;
  uint64_t size = 0;
  uint32_t crc32c = 0;
  Sha256 sha256;
  try {
    if (const uint64_t actual = files.FileSize(path); actual != record.size) {
      Refuse("verifying " + path + ": expected " + std::to_string(record.size) + " bytes, got " +
             std::to_string(actual));
    }
    // Up to the end and not to the recorded size, so that a pipe in place of an empty file is seen.
    while (size <= record.size) {
      const std::string piece = files.ReadRange(path, size, kPieceBytes);
      if (piece.empty()) break;
      size += piece.size();
      crc32c = Crc32c(piece, crc32c);
      sha256.Update(piece);
      take(piece);
    }
  } catch (const CheckpointError&) {
    throw;
  } catch (const Error& error) {
    Refuse("verifying " + path + ": expected a file of " + std::to_string(record.size) +
           " bytes, got: " + error.what());
  }
  if (size != record.size) {
    Refuse("verifying " + path + ": expected " + std::to_string(record.size) + " bytes, got " +
           std::to_string(size));
  }
  if (crc32c != record.crc32c) {
    Refuse("verifying " + path + ": expected CRC32C " + std::to_string(record.crc32c) + ", got " +
           std::to_string(crc32c));
  }
  if (const std::string actual = sha256.FinishHex(); actual != record.sha256) {
    Refuse("verifying " + path + ": expected SHA-256 " + record.sha256 + ", got " + actual);
  }
}

}  // namespace

std::string FileRecord::ToJson() const { return JsonOf(*this).dump(); }

FileRecord FileRecord::FromJson(std::string_view json, const std::string& source) {
  return RecordFrom(ParseCheckpointJson(json, source), source);
}

uint64_t Manifest::total_bytes() const {
  uint64_t total = 0;
  for (const FileRecord& record : files) total += record.size;
  return total;
}

bool Manifest::SameStateAs(const Manifest& other) const {
  return step == other.step && versions == other.versions && files == other.files;
}

std::string Manifest::ToJson() const {
  nlohmann::json records = nlohmann::json::array();
  for (const FileRecord& record : files) records.push_back(JsonOf(record));
  nlohmann::json json{
      {"format_version", format_version}, {"step", step},         {"attempt", attempt},
      {"world_size", world_size},         {"versions", versions}, {"config_digest", config_digest},
      {"files", std::move(records)}};
  json[kDigestKey] = DigestOf(json);
  return TextOf(json);
}

Manifest ParseManifest(std::string_view json, const std::string& source) {
  const nlohmann::json root = ParseCheckpointJson(json, source);
  JsonObject object(root, source);
  Manifest manifest;
  manifest.format_version = object.U32("format_version");
  if (manifest.format_version != kManifestFormatVersion) {
    Refuse("reading " + source + ": expected format_version " +
           std::to_string(kManifestFormatVersion) + ", got " +
           std::to_string(manifest.format_version) + " (written by another release)");
  }
  const std::string digest = object.Digest(kDigestKey);
  if (const std::string actual = DigestOf(root); actual != digest) {
    Refuse("reading " + source + ": expected SHA-256 " + digest + " of the rest, got " + actual);
  }
  if (TextOf(root) != json) {
    Refuse("reading " + source + ": expected the text as it was written, got another spelling");
  }
  manifest.step = object.Count("step");
  manifest.attempt = object.U32("attempt");
  manifest.world_size = object.U32("world_size");
  const nlohmann::json& versions = object.Object("versions");
  JsonObject version_of(versions, source);
  for (const auto& [model, version] : versions.items()) {
    manifest.versions[model] = version_of.U64(model);
  }
  manifest.config_digest = object.Text("config_digest");
  for (const nlohmann::json& item : object.Array("files")) {
    FileRecord record = RecordFrom(item, source);
    if (!manifest.files.empty() && manifest.files.back().path >= record.path) {
      Refuse("reading " + source + ": expected files sorted by path and each once, got '" +
             record.path + "' after '" + manifest.files.back().path + "'");
    }
    manifest.files.push_back(std::move(record));
  }
  object.Finish();
  return manifest;
}

bool IsSafeRelativePath(std::string_view path) {
  if (path.empty() || path == kManifestName) return false;
  if (path.find('\0') != std::string_view::npos || path.find('\\') != std::string_view::npos) {
    return false;
  }
  while (true) {
    const size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

FileRecord RecordOf(const std::string& relative_path, std::string_view bytes) {
  PONDER_CHECK(IsSafeRelativePath(relative_path)) << "path '" << relative_path << "'";
  return {.path = relative_path,
          .size = bytes.size(),
          .crc32c = Crc32c(bytes),
          .sha256 = Sha256Hex(bytes)};
}

Manifest ReadManifest(FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/" + kManifestName;
  if (files.IsSymlink(directory) || files.IsSymlink(path)) {
    Refuse("verifying " + path + ": expected a file in a folder, got a symbolic link");
  }
  std::string text;
  try {
    text = files.ReadFile(path, kMaxManifestBytes);
  } catch (const Error& error) {
    Refuse("verifying " + directory + ": expected a manifest, got: " + error.what());
  }
  return ParseManifest(text, path);
}

void VerifyFile(FileSystem& files, const std::string& directory, const FileRecord& record) {
  CheckFile(files, directory, record, [](const std::string&) {});
}

std::string ReadVerified(FileSystem& files, const std::string& directory,
                         const FileRecord& record) {
  std::string bytes;
  CheckFile(files, directory, record, [&bytes](const std::string& piece) { bytes += piece; });
  return bytes;
}

Manifest VerifyDirectory(FileSystem& files, const std::string& directory) {
  Manifest manifest = ReadManifest(files, directory);
  for (const FileRecord& record : manifest.files) VerifyFile(files, directory, record);
  return manifest;
}

}  // namespace ponder
