#include "core/base/fakes/crash_file_system.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr uint64_t kBlockBytes = 512;

// What one operation does to a disk where it is fully there.
void Apply(const DiskOperation& operation, Disk& disk) {
  using Kind = DiskOperation::Kind;
  switch (operation.kind) {
    case Kind::kCreate:
      disk[operation.node].is_folder = operation.is_folder;
      break;
    case Kind::kAppend:
      disk[operation.node].data += operation.text;
      break;
    case Kind::kCut:
      disk[operation.node].data.resize(operation.size);
      break;
    case Kind::kSetEntry:
      disk[operation.folder].entries[operation.name] = operation.node;
      break;
    case Kind::kRemoveEntry:
      disk[operation.folder].entries.erase(operation.name);
      break;
    case Kind::kRename: {
      auto& entries = disk[operation.folder].entries;
      entries.erase(operation.name);
      entries[operation.text] = operation.node;
      break;
    }
    case Kind::kExchange: {
      auto& entries = disk[operation.folder].entries;
      entries[operation.name] = operation.other;
      entries[operation.text] = operation.node;
      break;
    }
    case Kind::kSyncFile:
    case Kind::kSyncFolder:
      break;
  }
}

bool ChangesData(const DiskOperation& operation) {
  return operation.kind == DiskOperation::Kind::kAppend ||
         operation.kind == DiskOperation::Kind::kCut;
}

bool ChangesEntries(const DiskOperation& operation) {
  return operation.kind == DiskOperation::Kind::kSetEntry ||
         operation.kind == DiskOperation::Kind::kRemoveEntry ||
         operation.kind == DiskOperation::Kind::kRename ||
         operation.kind == DiskOperation::Kind::kExchange;
}

// For every operation below `count`: has a sync below `count` made it durable?
std::vector<bool> DurableOperations(const std::vector<DiskOperation>& operations, size_t count) {
  std::vector<bool> durable(count, false);
  std::set<int> synced_files;
  std::set<int> synced_folders;
  for (size_t index = count; index-- > 0;) {
    const DiskOperation& operation = operations[index];
    if (operation.kind == DiskOperation::Kind::kSyncFile) synced_files.insert(operation.node);
    if (operation.kind == DiskOperation::Kind::kSyncFolder) synced_folders.insert(operation.node);
    if (ChangesData(operation)) durable[index] = synced_files.count(operation.node) > 0;
    if (ChangesEntries(operation)) durable[index] = synced_folders.count(operation.folder) > 0;
  }
  return durable;
}

}  // namespace

Disk DiskAfter(const std::vector<DiskOperation>& operations, size_t count, const PowerCut& cut) {
  const std::vector<bool> durable = DurableOperations(operations, count);
  Disk disk;
  disk[0].is_folder = true;
  uint32_t draw = 0;
  for (size_t index = 0; index < count; ++index) {
    DiskOperation operation = operations[index];
    const bool is_torn = index + 1 == count && operation.text.size() > cut.torn_bytes;
    if (is_torn && operation.kind == DiskOperation::Kind::kAppend) {
      operation.text.resize(cut.torn_bytes);
    }
    if (!durable[index]) {
      if (ChangesData(operation)) {
        if (!cut.keeps_data) continue;
        if (cut.random != nullptr && operation.kind == DiskOperation::Kind::kAppend) {
          for (uint64_t begin = 0; begin < operation.text.size(); begin += kBlockBytes) {
            const uint64_t size = std::min<uint64_t>(kBlockBytes, operation.text.size() - begin);
            if (cut.random->Below(draw++, 2) == 0) operation.text.replace(begin, size, size, '\0');
          }
          if (cut.random->Below(draw++, 2) == 0) {
            operation.text.resize(cut.random->Below(draw++, operation.text.size() + 1));
          }
        }
      }
      if (ChangesEntries(operation)) {
        if (!cut.keeps_entries) continue;
        if (cut.random != nullptr && cut.random->Below(draw++, 2) == 0) continue;
      }
    }
    Apply(operation, disk);
  }
  return disk;
}

// Appends to a node, whatever its name becomes.
class CrashFileSystem::File : public WritableFile {
 public:
  File(CrashFileSystem& files, int node, std::string path)
      : files_(files), node_(node), path_(std::move(path)) {}

  void Append(std::string_view bytes) override {
    const bool full = files_.Charge();
    // A full disk takes what fits.
    const std::string_view taken = full ? bytes.substr(0, bytes.size() / 2) : bytes;
    DiskOperation operation;
    operation.kind = DiskOperation::Kind::kAppend;
    operation.node = node_;
    operation.text = std::string(taken);
    files_.Record(std::move(operation));
    if (full) throw Error(Condition::kIo, "writing " + path_ + ": No space left on device");
  }

  void Sync() override {
    files_.ChargeOrThrow("syncing " + path_);
    DiskOperation operation;
    operation.kind = DiskOperation::Kind::kSyncFile;
    operation.node = node_;
    files_.Record(std::move(operation));
  }

  void Close() override { files_.ChargeOrThrow("closing " + path_); }

 private:
  CrashFileSystem& files_;
  const int node_;
  const std::string path_;
};

CrashFileSystem::CrashFileSystem() { disk_[0].is_folder = true; }

CrashFileSystem::CrashFileSystem(Disk disk) : disk_(std::move(disk)) {
  next_node_ = disk_.rbegin()->first + 1;
}

void CrashFileSystem::FailNth(uint64_t nth, bool and_all_after) {
  failing_ = true;
  fails_all_after_ = and_all_after;
  fail_at_ = nth;
  num_charged_ = 0;
  has_failed_ = false;
}

void CrashFileSystem::StopFailing() { failing_ = false; }

bool CrashFileSystem::Charge() {
  const uint64_t index = num_charged_++;
  if (!failing_) return false;
  const bool fails = fails_all_after_ ? index >= fail_at_ : index == fail_at_;
  has_failed_ = has_failed_ || fails;
  return fails;
}

void CrashFileSystem::ChargeOrThrow(const std::string& what) {
  if (Charge()) throw Error(Condition::kIo, what + ": No space left on device");
}

void CrashFileSystem::Record(DiskOperation operation) {
  Apply(operation, disk_);
  operations_.push_back(std::move(operation));
}

CrashFileSystem::Place CrashFileSystem::Find(const std::string& path) const {
  Place place;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (!place.name.empty()) {
      const auto folder = disk_.find(place.node);
      if (folder == disk_.end() || !folder->second.is_folder) {
        throw Error(Condition::kIo, "finding " + path + ": no folder '" + place.name + "'");
      }
      place.folder = place.node;
    }
    place.name = part;
    const auto& entries = disk_.at(place.folder).entries;
    const auto entry = entries.find(part);
    place.node = entry == entries.end() ? -1 : entry->second;
  }
  if (place.name.empty()) place.node = 0;
  return place;
}

int CrashFileSystem::FindNode(const std::string& path, const char* what) const {
  const Place place = Find(path);
  if (place.node < 0) {
    throw Error(Condition::kIo, std::string(what) + " " + path + ": No such file or directory");
  }
  return place.node;
}

int CrashFileSystem::Make(const Place& place, bool is_folder) {
  DiskOperation create;
  create.node = next_node_++;
  create.is_folder = is_folder;
  Record(create);
  DiskOperation entry;
  entry.kind = DiskOperation::Kind::kSetEntry;
  entry.folder = place.folder;
  entry.name = place.name;
  entry.node = create.node;
  Record(entry);
  return create.node;
}

std::unique_ptr<WritableFile> CrashFileSystem::Create(const std::string& path) {
  ChargeOrThrow("opening " + path);
  const Place place = Find(path);
  int node = place.node;
  if (node < 0) {
    node = Make(place, /*is_folder=*/false);
  } else {
    Truncate(path, 0);
  }
  return std::make_unique<File>(*this, node, path);
}

std::unique_ptr<WritableFile> CrashFileSystem::OpenForAppend(const std::string& path) {
  ChargeOrThrow("opening " + path);
  const Place place = Find(path);
  const int node = place.node < 0 ? Make(place, /*is_folder=*/false) : place.node;
  return std::make_unique<File>(*this, node, path);
}

std::string CrashFileSystem::ReadFile(const std::string& path, uint64_t max_bytes) {
  const DiskNode& node = disk_.at(FindNode(path, "opening"));
  if (node.is_folder) throw Error(Condition::kIo, "reading " + path + ": Is a directory");
  if (node.data.size() > max_bytes) {
    throw Error(Condition::kBadData, "reading " + path + ": " + std::to_string(node.data.size()) +
                                         " bytes, expected at most " + std::to_string(max_bytes));
  }
  return node.data;
}

bool CrashFileSystem::Exists(const std::string& path) {
  try {
    return Find(path).node >= 0;
  } catch (const Error&) {
    return false;
  }
}

uint64_t CrashFileSystem::FileSize(const std::string& path) {
  return disk_.at(FindNode(path, "reading the size of")).data.size();
}

void CrashFileSystem::MakeDirectories(const std::string& path) {
  ChargeOrThrow("making the folder " + path);
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const Place place = Find(path.substr(0, end));
    if (place.node < 0) Make(place, /*is_folder=*/true);
    if (end == std::string::npos) return;
  }
}

std::vector<std::string> CrashFileSystem::List(const std::string& path) {
  std::vector<std::string> names;
  if (!Exists(path)) return names;
  for (const auto& [name, node] : disk_.at(FindNode(path, "listing")).entries) {
    names.push_back(name);
  }
  return names;
}

void CrashFileSystem::Rename(const std::string& from, const std::string& to) {
  ChargeOrThrow("renaming " + from + " to " + to);
  const int node = FindNode(from, "renaming");
  const Place source = Find(from);
  const Place target = Find(to);
  // A rename between folders would need two syncs; nothing that is tested here does it.
  PONDER_CHECK(source.folder == target.folder) << from << " to " << to;
  if (target.node >= 0 && !disk_.at(target.node).entries.empty()) {
    throw Error(Condition::kIo, "renaming " + from + " to " + to + ": Directory not empty");
  }
  DiskOperation operation;
  operation.kind = DiskOperation::Kind::kRename;
  operation.folder = source.folder;
  operation.name = source.name;
  operation.text = target.name;
  operation.node = node;
  Record(std::move(operation));
}

void CrashFileSystem::RenameNew(const std::string& from, const std::string& to) {
  if (Exists(to)) throw Error(Condition::kIo, "renaming " + from + " to " + to + ": File exists");
  Rename(from, to);
}

void CrashFileSystem::Exchange(const std::string& one, const std::string& other) {
  ChargeOrThrow("exchanging " + one + " with " + other);
  FindNode(one, "exchanging");
  FindNode(other, "exchanging");
  const Place first = Find(one);
  const Place second = Find(other);
  PONDER_CHECK(first.folder == second.folder) << one << " with " << other;
  DiskOperation operation;
  operation.kind = DiskOperation::Kind::kExchange;
  operation.folder = first.folder;
  operation.name = first.name;
  operation.text = second.name;
  operation.node = first.node;
  operation.other = second.node;
  Record(std::move(operation));
}

void CrashFileSystem::RemoveBelow(const Place& place) {
  const std::map<std::string, int> entries = disk_.at(place.node).entries;
  for (const auto& [name, node] : entries) RemoveBelow({place.node, name, node});
  DiskOperation operation;
  operation.kind = DiskOperation::Kind::kRemoveEntry;
  operation.folder = place.folder;
  operation.name = place.name;
  Record(std::move(operation));
}

void CrashFileSystem::RemoveFile(const std::string& path) {
  FindNode(path, "removing");
  RemoveBelow(Find(path));
}

void CrashFileSystem::RemoveTree(const std::string& path) {
  if (Exists(path)) RemoveBelow(Find(path));
}

void CrashFileSystem::SyncDirectory(const std::string& path) {
  ChargeOrThrow("syncing the folder " + path);
  DiskOperation operation;
  operation.kind = DiskOperation::Kind::kSyncFolder;
  operation.node = FindNode(path, "syncing the folder");
  Record(std::move(operation));
}

void CrashFileSystem::Truncate(const std::string& path, uint64_t size) {
  DiskOperation operation;
  operation.kind = DiskOperation::Kind::kCut;
  operation.node = FindNode(path, "cutting");
  operation.size = size;
  Record(std::move(operation));
}

uint64_t CrashFileSystem::FreeBytes(const std::string& path) {
  FindNode(path, "reading the free space of");
  return free_bytes_;
}

}  // namespace ponder
