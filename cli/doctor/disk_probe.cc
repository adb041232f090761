#include "cli/doctor/disk_probe.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace ponder {
namespace {

using std::chrono::steady_clock;

constexpr size_t kPieceBytes = size_t{1} << 20;

struct MagicRow {
  int64_t magic;
  const char* name;
  bool is_network;
};

// linux/magic.h, and those that are not in it.
constexpr MagicRow kMagics[] = {
    {0xef53, "ext4", false},         {0x58465342, "xfs", false},     {0x9123683e, "btrfs", false},
    {0x01021994, "tmpfs", false},    {0x794c7630, "overlay", false}, {0x2fc12fc1, "zfs", false},
    {0x6969, "nfs", true},           {0xff534d42, "cifs", true},     {0xfe534d42, "smb2", true},
    {0x0bd00bd0, "lustre", true},    {0x47504653, "gpfs", true},     {0x00c36400, "ceph", true},
    {0x65735546, "fuse", true},      {0x01021997, "9p", true},       {0x61756673, "aufs", false},
    {0x73717368, "squashfs", false}, {0x19830326, "fhgfs", true}};

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

}  // namespace

DiskMeasurement MeasureDisk(FileSystem& files, const std::string& folder, uint64_t num_bytes) {
  const std::string name = folder + "/.ponder_doctor_" + std::to_string(getpid());
  DiskMeasurement measurement{.num_bytes = num_bytes};
  try {
    // Not zeros: a file system may store those as nothing.
    std::string piece(kPieceBytes, '\0');
    for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 2654435761u >> 13);
    auto begin = steady_clock::now();
    const std::unique_ptr<WritableFile> file = files.Create(name + ".tmp");
    for (uint64_t done = 0; done < num_bytes; done += kPieceBytes) {
      file->Append(std::string_view(piece).substr(0, std::min(kPieceBytes, num_bytes - done)));
    }
    file->Sync();
    file->Close();
    measurement.write_s = SecondsSince(begin);
    begin = steady_clock::now();
    files.Rename(name + ".tmp", name);
    files.SyncDirectory(folder);
    measurement.rename_s = SecondsSince(begin);
  } catch (const Error&) {
    files.RemoveTree(name + ".tmp");
    files.RemoveTree(name);
    throw;
  }
  files.RemoveFile(name);
  return measurement;
}

std::string DiskMeasurementJson(const DiskMeasurement& measurement) {
  return nlohmann::json{{"bytes", measurement.num_bytes},
                        {"write_s", measurement.write_s},
                        {"rename_s", measurement.rename_s}}
      .dump();
}

std::string FileSystemName(int64_t magic) {
  for (const MagicRow& row : kMagics) {
    if (row.magic == magic) return row.name;
  }
  return fmt::format("file system {:#x}", magic);
}

bool IsNetworkFileSystem(int64_t magic) {
  return std::any_of(std::begin(kMagics), std::end(kMagics),
                     [magic](const MagicRow& row) { return row.magic == magic && row.is_network; });
}

std::string NearestExisting(const std::string& path) {
  std::filesystem::path folder = std::filesystem::absolute(path);
  std::error_code error;
  while (!std::filesystem::is_directory(folder, error) && folder != folder.root_path()) {
    folder = folder.parent_path();
  }
  return folder.string();
}

}  // namespace ponder
