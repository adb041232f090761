#include "trainer/checkpoint/checkpoint_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "trainer/checkpoint/checkpoint_reader.h"

namespace ponder {
namespace {

constexpr const char* kLatestName = "latest";
constexpr std::string_view kNamePrefix = "step_";
constexpr size_t kNameDigits = 6;

}  // namespace

std::string CheckpointName(int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < kNameDigits) digits.insert(0, kNameDigits - digits.size(), '0');
  return std::string(kNamePrefix) + digits;
}

std::optional<int64_t> StepOfCheckpointName(std::string_view name) {
  if (name.substr(0, kNamePrefix.size()) != kNamePrefix) return std::nullopt;
  const std::string_view digits = name.substr(kNamePrefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (step < 0 || CheckpointName(step) != name) return std::nullopt;
  return step;
}

CheckpointWriter::CheckpointWriter(FileSystem& files, std::string root,
                                   CheckpointWriterOptions options)
    : files_(files), root_(std::move(root)), options_(std::move(options)) {
  PONDER_CHECK(options_.keep >= 1) << "keep is " << options_.keep;
  PONDER_CHECK(!options_.unique.empty()) << "a writer needs a name of its own";
}

bool CheckpointWriter::Has(int64_t step) const {
  const std::string path = root_ + "/" + CheckpointName(step);
  if (!files_.Exists(path)) return false;
  try {
    return VerifyDirectory(files_, path).step == step;
  } catch (const CheckpointError&) {
    return false;
  }
}

void CheckpointWriter::CheckFreeSpace() const {
  for (const int64_t step : CheckpointSteps(files_, root_)) {
    uint64_t last_bytes = 0;
    try {
      last_bytes = ReadManifest(files_, root_ + "/" + CheckpointName(step)).total_bytes();
    } catch (const CheckpointError&) {
      continue;
    }
    const uint64_t needed = last_bytes + last_bytes / 5;
    const uint64_t free = files_.FreeBytes(root_);
    if (free < needed) {
      throw CheckpointError(Condition::kIo, "beginning a checkpoint in " + root_ + ": expected " +
                                                std::to_string(needed) +
                                                " free bytes (1.2 times the last one), got " +
                                                std::to_string(free) +
                                                " (the last checkpoint is intact)");
    }
    return;
  }
}

void CheckpointWriter::Begin(int64_t step, IfPresent if_present) {
  PONDER_CHECK(!is_open()) << "the checkpoint of step " << step_ << " is still open";
  PONDER_CHECK(step >= 0) << "step " << step;
  PONDER_FAILPOINT("checkpoint.begin");
  CheckFreeSpace();
  if (if_present == IfPresent::kRefuse && Has(step)) {
    throw CheckpointError(Condition::kIo, "beginning a checkpoint: expected none of step " +
                                              std::to_string(step) + " in " + root_ +
                                              ", got one that verifies");
  }
  staged_ = std::make_unique<StagedDirectory>(files_, root_, CheckpointName(step), options_.unique);
  step_ = step;
  if_present_ = if_present;
}

void CheckpointWriter::AddFile(const std::string& relative_path, std::string_view bytes) {
  PONDER_CHECK(is_open()) << "no checkpoint is open";
  try {
    staged_->AddFile(relative_path, bytes);
  } catch (...) {
    Abort();
    throw;
  }
}

void CheckpointWriter::AddFileFromRank(FileRecord record) {
  PONDER_CHECK(is_open()) << "no checkpoint is open";
  try {
    staged_->AddRecord(std::move(record));
  } catch (...) {
    Abort();
    throw;
  }
}

void CheckpointWriter::Commit(Manifest manifest, std::optional<int64_t> pinned) {
  PONDER_CHECK(is_open()) << "no checkpoint is open";
  // Whatever happens from here on, this save is over: removed, or published.
  const std::unique_ptr<StagedDirectory> staged = std::move(staged_);
  manifest.step = step_;
  staged->Seal(std::move(manifest));
  staged->Publish(if_present_);
  verified_.insert(step_);
  PONDER_FAILPOINT("checkpoint.latest");
  WriteFileAtomically(files_, root_ + "/" + kLatestName, CheckpointName(step_) + "\n");
  PONDER_FAILPOINT("checkpoint.retention");
  ApplyRetention(pinned);
}

void CheckpointWriter::Abort() { staged_.reset(); }

const std::string& CheckpointWriter::directory() const {
  PONDER_CHECK(is_open()) << "no checkpoint is open";
  return staged_->directory();
}

void CheckpointWriter::ApplyRetention(std::optional<int64_t> pinned) {
  int64_t num_verified = 0;
  for (const int64_t step : CheckpointSteps(files_, root_)) {
    if (num_verified < options_.keep) {
      if (verified_.count(step) == 0 && Has(step)) verified_.insert(step);
      if (verified_.count(step) > 0) ++num_verified;
      continue;
    }
    if (step == pinned) continue;
    if (step == step_) continue;  // just saved, although a later one (of another attempt) verifies
    const std::string name = CheckpointName(step);
    files_.Rename(root_ + "/" + name,
                  root_ + "/" + std::string(kTrashPrefix) + name + "-" + options_.unique);
    verified_.erase(step);
  }
  // Renamed first, durably: a kill or a power cut in the middle must not leave half a checkpoint
  // under its name. What an earlier save could not remove goes now.
  bool is_synced = false;
  for (const std::string& name : files_.List(root_)) {
    if (name.compare(0, kTrashPrefix.size(), kTrashPrefix) != 0) continue;
    if (!std::exchange(is_synced, true)) files_.SyncDirectory(root_);
    files_.RemoveTree(root_ + "/" + name);
  }
}

StageStartWriter::StageStartWriter(FileSystem& files, std::string parent, const std::string& unique)
    : files_(files), staged_(files, std::move(parent), "start", unique) {}

void StageStartWriter::AddFile(const std::string& relative_path, std::string_view bytes) {
  staged_.AddFile(relative_path, bytes);
}

void StageStartWriter::AddFileFromRank(FileRecord record) { staged_.AddRecord(std::move(record)); }

void StageStartWriter::Commit(Manifest manifest) {
  const Manifest& sealed = staged_.Seal(std::move(manifest));
  if (files_.Exists(staged_.final_path())) {
    std::optional<Manifest> before;
    try {
      before = VerifyDirectory(files_, staged_.final_path());
    } catch (const CheckpointError&) {
      // Not whole: Publish replaces it.
    }
    if (before) {
      if (before->SameStateAs(sealed)) return;
      throw CheckpointError(Condition::kBadData,
                            "writing " + staged_.final_path() +
                                ": expected the state that is pinned there, got another one (a "
                                "stage start never changes; use another run name)");
    }
  }
  staged_.Publish(IfPresent::kRefuse);
}

}  // namespace ponder
