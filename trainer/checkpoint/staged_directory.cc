#include "trainer/checkpoint/staged_directory.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"

namespace ponder {
namespace {

void WriteDurably(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = files.Create(path);
  file->Append(bytes);
  file->Sync();
  file->Close();
}

// The sub-folders of `relative_path`, deepest first, without the folder itself.
std::vector<std::string> SubFoldersOf(const std::string& relative_path) {
  std::vector<std::string> folders;
  for (size_t end = relative_path.rfind('/'); end != std::string::npos && end > 0;
       end = relative_path.rfind('/', end - 1)) {
    folders.push_back(relative_path.substr(0, end));
  }
  return folders;
}

bool Verifies(FileSystem& files, const std::string& directory) {
  try {
    VerifyDirectory(files, directory);
    return true;
  } catch (const CheckpointError&) {
    return false;
  }
}

}  // namespace

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void MakeDirectoriesDurably(FileSystem& files, const std::string& path) {
  std::vector<std::string> parents;
  for (std::string made = path; made != "." && made != "/" && !files.Exists(made);
       made = ParentOf(made)) {
    parents.push_back(ParentOf(made));
  }
  if (parents.empty()) return;
  files.MakeDirectories(path);
  for (const std::string& parent : parents) files.SyncDirectory(parent);
}

FileRecord WriteCheckpointFile(FileSystem& files, const std::string& directory,
                               const std::string& relative_path, std::string_view bytes) {
  FileRecord record = RecordOf(relative_path, bytes);
  const std::string path = directory + "/" + relative_path;
  const std::vector<std::string> folders = SubFoldersOf(relative_path);
  if (!folders.empty()) files.MakeDirectories(ParentOf(path));
  WriteDurably(files, path, bytes);
  for (const std::string& folder : folders) files.SyncDirectory(directory + "/" + folder);
  return record;
}

StagedDirectory::StagedDirectory(FileSystem& files, std::string parent, std::string name,
                                 const std::string& unique)
    : files_(files),
      parent_(std::move(parent)),
      name_(std::move(name)),
      unique_(unique),
      directory_(parent_ + "/" + std::string(kTemporaryPrefix) + name_ + "-" + unique_) {
  MakeDirectoriesDurably(files_, parent_);
  if (files_.Exists(directory_)) {
    throw CheckpointError(Condition::kIo, "beginning " + final_path() + ": expected no folder " +
                                              directory_ +
                                              ", got one (is another writer at work?)");
  }
  files_.MakeDirectories(directory_);
}

StagedDirectory::~StagedDirectory() {
  if (published_) return;
  try {
    files_.RemoveTree(directory_);
  } catch (const std::exception&) {
    // The disk is in trouble and the caller knows; readers remove leftovers at the next start.
  }
}

void StagedDirectory::AddFile(const std::string& relative_path, std::string_view bytes) {
  PONDER_FAILPOINT("checkpoint.file");
  records_.push_back(WriteCheckpointFile(files_, directory_, relative_path, bytes));
}

void StagedDirectory::AddRecord(FileRecord record) {
  const std::string path = directory_ + "/" + record.path;
  PONDER_CHECK(IsSafeRelativePath(record.path)) << "path '" << record.path << "'";
  const std::string expected = std::to_string(record.size) + " bytes from another rank";
  if (!files_.Exists(path)) {
    throw CheckpointError(Condition::kIo, "adding " + path + ": expected " + expected +
                                              ", got no file (is the folder shared by all ranks?)");
  }
  if (const uint64_t size = files_.FileSize(path); size != record.size) {
    throw CheckpointError(Condition::kIo, "adding " + path + ": expected " + expected + ", got " +
                                              std::to_string(size) + " bytes");
  }
  records_.push_back(std::move(record));
}

const Manifest& StagedDirectory::Seal(Manifest manifest) {
  std::sort(records_.begin(), records_.end(),
            [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; });
  for (size_t index = 1; index < records_.size(); ++index) {
    PONDER_CHECK(records_[index - 1].path != records_[index].path)
        << "file '" << records_[index].path << "' was added twice";
  }
  manifest.files = records_;
  manifest_ = std::move(manifest);
  PONDER_FAILPOINT("checkpoint.manifest");
  WriteDurably(files_, directory_ + "/" + kManifestName, manifest_.ToJson());
  files_.SyncDirectory(directory_);
  if (VerifyDirectory(files_, directory_) != manifest_) {
    throw CheckpointError(Condition::kIo, "reading back " + directory_ +
                                              ": expected the manifest just written, got another");
  }
  return manifest_;
}

void StagedDirectory::Publish(IfPresent if_present) {
  const std::string final = final_path();
  std::string trash;
  if (files_.Exists(final)) {
    const bool verifies = Verifies(files_, final);
    if (verifies && if_present == IfPresent::kReplace) {
      PONDER_FAILPOINT("checkpoint.rename");
      files_.Exchange(directory_, final);
      published_ = true;
      files_.SyncDirectory(parent_);
      files_.RemoveTree(directory_);  // the old one, under the temporary name
      return;
    }
    if (verifies) {
      throw CheckpointError(Condition::kIo, "publishing " + final +
                                                ": expected no such folder, got one that verifies "
                                                "(another writer was faster)");
    }
    trash = parent_ + "/" + std::string(kTrashPrefix) + name_ + "-" + unique_;
    files_.Rename(final, trash);
  }
  PONDER_FAILPOINT("checkpoint.rename");
  try {
    files_.RenameNew(directory_, final);
  } catch (const Error& error) {
    throw CheckpointError(Condition::kIo, "publishing " + final + ": " + error.what() +
                                              " (another writer may have been faster)");
  }
  published_ = true;
  files_.SyncDirectory(parent_);
  if (!trash.empty()) files_.RemoveTree(trash);
}

}  // namespace ponder
