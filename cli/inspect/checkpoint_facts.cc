#include "cli/inspect/checkpoint_facts.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/error.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/resume.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

// More would only be listed to fill a screen.
constexpr size_t kMaxExtraFiles = 1000;

// Files below `directory` that no record names, by relative path. Links are not followed.
std::vector<std::string> ExtraFiles(const std::string& directory, const Manifest& manifest) {
  std::set<std::string> known{kManifestName};
  for (const FileRecord& record : manifest.files) known.insert(record.path);
  std::vector<std::string> extra;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, error);
  while (!error && entry != fs::recursive_directory_iterator() && extra.size() < kMaxExtraFiles) {
    const bool is_folder = entry->is_directory(error) && !entry->is_symlink(error);
    const std::string path = entry->path().lexically_relative(directory).generic_string();
    if (!is_folder && !known.contains(path)) extra.push_back(path);
    entry.increment(error);
  }
  std::sort(extra.begin(), extra.end());
  return extra;
}

void ReadState(FileSystem& files, CheckpointFacts* facts) {
  for (const CheckedFile& file : facts->files) {
    if (file.record.path != kStateFile || !file.problem.empty()) continue;
    try {
      facts->state = RunState::FromJson(ReadVerified(files, facts->directory, file.record),
                                        facts->directory + "/" + kStateFile);
    } catch (const Error& error) {
      facts->problems.emplace_back(error.what());
    }
  }
}

// As the reader does: the folder's name must be that of its manifest's step.
void CheckName(CheckpointFacts* facts) {
  const std::string name = fs::path(facts->directory).filename().string();
  const std::optional<int64_t> step = StepOfCheckpointName(name);
  if (step && *step != facts->manifest->step) {
    facts->problems.push_back("the folder is named " + name + ", but its manifest is of step " +
                              std::to_string(facts->manifest->step));
  }
}

}  // namespace

bool CheckpointFacts::IsWhole() const {
  return manifest && problems.empty() && num_damaged_files() == 0;
}

uint64_t CheckpointFacts::num_damaged_files() const {
  return static_cast<uint64_t>(std::count_if(
      files.begin(), files.end(), [](const CheckedFile& file) { return !file.problem.empty(); }));
}

CheckpointFacts SurveyCheckpoint(FileSystem& files, const std::string& directory,
                                 ContentsWanted wanted) {
  CheckpointFacts facts;
  facts.directory = directory;
  try {
    facts.manifest = ReadManifest(files, directory);
  } catch (const Error& error) {
    facts.problems.emplace_back(error.what());
    return facts;
  }
  CheckName(&facts);
  for (const FileRecord& record : facts.manifest->files) {
    CheckedFile checked{record, ""};
    try {
      VerifyFile(files, directory, record);
    } catch (const Error& error) {
      checked.problem = error.what();
    }
    facts.files.push_back(std::move(checked));
    if (!record.path.ends_with(".safetensors")) continue;
    const std::string path = directory + "/" + record.path;
    // A link would lead out of the folder, and is told as the file's problem already.
    if (!files.Exists(path) || files.IsSymlink(path)) continue;
    facts.weights.push_back(SurveyWeightsFile(files, path, wanted));
    facts.weights.back().files.front().name = record.path;
  }
  ReadState(files, &facts);
  facts.extra = ExtraFiles(directory, *facts.manifest);
  return facts;
}

}  // namespace ponder
