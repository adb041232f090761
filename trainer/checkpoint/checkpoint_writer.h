// Writes checkpoints so that a kill, a power cut or a full disk at any instant leaves the one
// before or the new one, never a mix and never nothing.
//
// Order of one save: temporary folder; every file written, flushed, synced; manifest, synced;
// folders synced; everything read back; rename without replacing to step_NNNNNN; checkpoints folder
// synced; `latest` rewritten; the oldest removed. A rename without the sync of its folder is atomic
// but not durable (Pillai et al., "All file systems are not created equal", OSDI 2014, section 4).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/staged_directory.h"

namespace ponder {

struct CheckpointWriterOptions {
  int64_t keep = 3;    // newest verified checkpoints that stay, >= 1
  std::string unique;  // tells apart all writers that may ever meet: attempt and process, "a2-4711"
};

// Used by rank 0, from one thread. One save at a time, which may stay open over later steps: begin
// and add files now, add the rest and commit when it is there. When any call throws, the open save
// is gone and the checkpoints before it are intact; a later Begin tries again.
class CheckpointWriter {
 public:
  // `root`: runs/NAME/checkpoints; made when missing. `files` is borrowed.
  CheckpointWriter(FileSystem& files, std::string root, CheckpointWriterOptions options);

  // True when a verified checkpoint of `step` is there.
  bool Has(int64_t step) const;

  // Opens a save. A verified checkpoint of `step` is replaced by it at Commit, or refused. Throws
  // CheckpointError(kIo) when the disk has less than 1.2 times the size of the newest checkpoint
  // free, or a checkpoint is refused; Error(kInternal) when a save is open.
  void Begin(int64_t step, IfPresent if_present = IfPresent::kRefuse);
  // Writes and syncs one file of the open save. Each path once.
  void AddFile(const std::string& relative_path, std::string_view bytes);
  // Records a file that another rank has written with WriteCheckpointFile(files, directory(), ...).
  // Throws CheckpointError(kIo) when it is not there with that size.
  void AddFileFromRank(FileRecord record);
  // Seals and publishes the open save, rewrites `latest`, applies retention, which leaves the
  // checkpoint of step `pinned` too. step and files of `manifest` are filled in here. When it
  // throws after the rename, the checkpoint stands.
  void Commit(Manifest manifest, std::optional<int64_t> pinned = std::nullopt);
  // Removes the open save, if any.
  void Abort();

  bool is_open() const { return staged_ != nullptr; }
  // The temporary folder of the open save; other ranks write into it.
  const std::string& directory() const;

 private:
  void CheckFreeSpace() const;
  // Removes what is older than the `keep` newest checkpoints that verify, except `pinned`. What
  // does not verify does not count, and stays while it is newer.
  void ApplyRetention(std::optional<int64_t> pinned);

  FileSystem& files_;
  const std::string root_;
  const CheckpointWriterOptions options_;
  std::unique_ptr<StagedDirectory> staged_;
  int64_t step_ = 0;
  IfPresent if_present_ = IfPresent::kRefuse;
  std::set<int64_t> verified_;  // read back by this writer: not read again at every save
};

// Writes PARENT/start, the pinned state at the beginning of a stage, by the same protocol. It is
// immutable: writing it again is nothing when it verifies and holds the same state, and throws
// CheckpointError(kBadData) when the state differs. Its files must therefore not depend on attempt
// or clock (RunState::WithoutAttempt).
class StageStartWriter {
 public:
  // `parent`: runs/NAME/stages/STAGE. `files` is borrowed.
  StageStartWriter(FileSystem& files, std::string parent, const std::string& unique);
  void AddFile(const std::string& relative_path, std::string_view bytes);
  void AddFileFromRank(FileRecord record);
  void Commit(Manifest manifest);
  // Other ranks write into it.
  const std::string& directory() const { return staged_.directory(); }

 private:
  FileSystem& files_;
  StagedDirectory staged_;
};

// "step_000120".
std::string CheckpointName(int64_t step);
// The step of a name that CheckpointName gives; nothing for any other name.
std::optional<int64_t> StepOfCheckpointName(std::string_view name);

}  // namespace ponder
