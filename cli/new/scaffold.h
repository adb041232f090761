// What `ponder new` writes: new files from templates, and the lines that register them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/new/text_edit.h"
#include "core/base/file.h"

namespace ponder {

// What can be added to the sources.
enum class NewKind { kAlgorithm, kTask, kReward };

struct NewFile {
  std::string path;  // relative to the root of the sources
  std::string text;
};

struct FileChange {
  std::string path;                         // relative to the root; the file exists
  std::function<void(SourceText*)> change;  // throws Error(kBadData) where it does not fit
};

struct Scaffold {
  std::vector<NewFile> new_files;
  std::vector<FileChange> changes;
  std::string test;  // CMake target
};

// The scaffold of one more `kind` called `name`. Throws Error(kUsage) on a name that is no lower
// snake case, that C++ keeps for itself, or that is too long. Pure.
Scaffold MakeScaffold(NewKind kind, const std::string& name);

// Writes the scaffold below `root`, all or nothing: everything is checked before the first write,
// and a write that fails undoes those before it. Never overwrites: throws Error(kUsage) when a new
// file exists or `root` holds no sources of Ponder, Error(kBadData) when a change does not fit, and
// Error(kIo). A kill in between can leave part of it; the files are those of `scaffold`.
void WriteScaffold(FileSystem& files, const std::string& root, const Scaffold& scaffold);

}  // namespace ponder
