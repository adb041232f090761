// Writes a scaffold, all or nothing.
#include "cli/new/scaffold.h"
#include "core/base/error.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxSourceBytes = 1 << 20;

void CheckRoot(FileSystem& files, const std::string& root) {
  for (const char* file : {"CMakeLists.txt", "tasks/registry.cc", "core/config/kinds.cc"}) {
    if (files.Exists(root + "/" + file)) continue;
    throw Error(Condition::kUsage, "--dir: expected the folder of Ponder's sources, got '" + root +
                                       "' (it has no " + file +
                                       "; run it in the clone, or name that with --dir)");
  }
}

// What a file held before; `existed` false: it has to go.
struct Undo {
  std::string path;
  bool existed = false;
  std::string text;
};

// Takes back what was written. The first failure counts; one here leaves that file as it is.
void TakeBack(FileSystem& files, const std::vector<Undo>& written) {
  for (const Undo& undo : written) {
    try {
      if (undo.existed) {
        WriteFileAtomically(files, undo.path, undo.text);
      } else if (files.Exists(undo.path)) {
        files.RemoveFile(undo.path);
      }
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace

void WriteScaffold(FileSystem& files, const std::string& root, const Scaffold& scaffold) {
  CheckRoot(files, root);
  std::vector<SourceText> planned;
  std::vector<Undo> before;
  for (const NewFile& file : scaffold.new_files) {
    if (files.Exists(root + "/" + file.path)) {
      throw Error(Condition::kUsage,
                  "NAME: " + file.path + " exists and is never overwritten; choose another name");
    }
    planned.push_back({root + "/" + file.path, file.text});
    before.push_back({.path = root + "/" + file.path, .existed = false, .text = {}});
  }
  for (const FileChange& change : scaffold.changes) {
    SourceText source{change.path, files.ReadFile(root + "/" + change.path, kMaxSourceBytes)};
    before.push_back({.path = root + "/" + change.path, .existed = true, .text = source.text});
    change.change(&source);
    planned.push_back({root + "/" + change.path, source.text});
  }
  std::vector<Undo> written;
  try {
    for (size_t i = 0; i < planned.size(); ++i) {
      written.push_back(before[i]);
      WriteFileAtomically(files, planned[i].path, planned[i].text);
    }
  } catch (...) {
    TakeBack(files, written);
    throw;
  }
}

}  // namespace ponder
