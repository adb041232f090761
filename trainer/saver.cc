#include "trainer/saver.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/weights/safetensors.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/group_file.h"
#include "trainer/checkpoint/resume.h"
#include "trainer/group_exchange.h"

namespace ponder {
namespace {

constexpr int kFailuresInARow = 3;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 40;
constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr const char* kPolicyFile = "policy/model.safetensors";
constexpr const char* kPolicyConfigFile = "policy/config.json";
constexpr const char* kGroupsFile = "experience/groups.bin";

std::string ShardName(int rank) { return fmt::format("optimizer/rank_{:05}.safetensors", rank); }

}  // namespace

Saver::Saver(Communicator& comm, FileSystem& files, const ExperimentConfig& config,
             uint32_t attempt, const Log& log)
    : comm_(comm),
      files_(files),
      config_(config),
      attempt_(attempt),
      log_(log),
      unique_(fmt::format("a{}-{}", attempt, getpid())) {}

void Saver::Save(const RunState& state, Learner& learner, const StageProgress& progress,
                 int64_t older_steps) {
  open_.reset();
  std::string directory;
  if (is_root()) {
    try {
      if (writer_ == nullptr) {
        writer_ = std::make_unique<CheckpointWriter>(
            files_, CheckpointRoot(),
            CheckpointWriterOptions{.keep = config_.checkpoint.keep, .unique = unique_});
      }
      writer_->Abort();
      const std::optional<RunState> saved = SavedState(state.run_step);
      if (!saved || IsFurther(state, *saved)) {
        writer_->Begin(state.run_step, IfPresent::kReplace);
        AddPolicy(learner);
        directory = writer_->directory();
      }
    } catch (const Error& error) {
      Failed(error.what());
    }
  }
  BroadcastString(comm_, &directory, /*patient=*/false);
  if (directory.empty()) return;

  std::vector<FileRecord> records;
  const std::string failure = WriteShards(directory, learner, &records);
  OpenSave save{state, state.stage_step + older_steps - 1, progress.stored};
  save.state.frontier = progress.frontier;
  save.state.attempt = attempt_;
  if (is_root()) {
    if (!failure.empty()) {
      writer_->Abort();
      Failed(failure);
    } else {
      try {
        for (FileRecord& record : records) writer_->AddFileFromRank(std::move(record));
      } catch (const Error& error) {
        Failed(error.what());
      }
      if (older_steps == 0) Commit(save);
    }
  }
  if (failure.empty() && older_steps > 0) {
    save.stored.clear();
    open_ = std::move(save);
  }
}

std::optional<RunState> Saver::SavedState(int64_t run_step) const {
  if (!writer_->Has(run_step)) return std::nullopt;
  const LoadedCheckpoint saved = LoadStep(files_, CheckpointRoot(), run_step);
  return RunState::FromJson(saved.File(kStateFile), saved.directory + "/" + kStateFile);
}

void Saver::OnGroupsTaken(int64_t step, const std::vector<TrajectoryGroup>& groups) {
  if (!open_ || step < open_->state.stage_step || step > open_->last_step) return;
  if (is_root()) open_->stored.insert(open_->stored.end(), groups.begin(), groups.end());
  if (step < open_->last_step) return;
  if (is_root()) Commit(*open_);
  open_.reset();
}

void Saver::Commit(const OpenSave& save) {
  if (!writer_->is_open()) return;  // it failed before and was counted then
  try {
    writer_->AddFile(kStateFile, save.state.ToJson());
    writer_->AddFile(kGroupsFile, SerializeGroups(save.stored));
    writer_->Commit(ManifestOf(save.state), PinnedStep(save.state));
    failures_ = 0;
    log_.Debug("saved " + CheckpointRoot() + "/" + CheckpointName(save.state.run_step));
  } catch (const Error& error) {
    Failed(error.what());
  }
}

std::optional<int64_t> Saver::PinnedStep(const RunState& state) {
  if (!state.best) return std::nullopt;
  const int64_t step = state.best->step;
  if (step == state.run_step || files_.Exists(CheckpointRoot() + "/" + CheckpointName(step))) {
    pinned_ = step;
  }
  return pinned_;
}

void Saver::Failed(const std::string& why) {
  ++failures_;
  log_.Error(fmt::format("checkpoint not saved ({} in a row; the ones before it are intact): {}",
                         failures_, why));
  if (failures_ >= kFailuresInARow) {
    throw CheckpointError(
        Condition::kIo, fmt::format("{} saves in a row failed; the last one: {}", failures_, why));
  }
}

std::string Saver::WriteShards(const std::string& directory, Learner& learner,
                               std::vector<FileRecord>* records) {
  if (learner.optimizer() == nullptr) return {};
  std::string mine;
  try {
    mine = WriteCheckpointFile(files_, directory, ShardName(comm_.rank()),
                               learner.optimizer()->SaveShard())
               .ToJson();
  } catch (const Error& error) {
    mine = std::string("!") + error.what();
  }
  std::string failure;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    std::string text = rank == comm_.rank() ? mine : std::string();
    BroadcastString(comm_, &text, /*patient=*/false, rank);
    if (text.starts_with("!")) {
      if (failure.empty()) failure = fmt::format("rank {}: {}", rank, text.substr(1));
    } else {
      records->push_back(FileRecord::FromJson(text, fmt::format("the record of rank {}", rank)));
    }
  }
  return failure;
}

void Saver::AddPolicy(Learner& learner) {
  const std::vector<char> flat = learner.parameters().ToBytes();
  writer_->AddFile(kPolicyConfigFile, learner.decoder().config().ToJson());
  writer_->AddFile(kPolicyFile, SafetensorsFromFlat(learner.parameters().layout(),
                                                    {flat.data(), flat.size()}, {}));
}

Manifest Saver::ManifestOf(const RunState& state) const {
  Manifest manifest;
  manifest.step = state.run_step;
  manifest.attempt = attempt_;
  manifest.world_size = static_cast<uint32_t>(comm_.size());
  manifest.versions = {{config_.models.front().name, state.version}};
  manifest.config_digest = Sha256Hex(ResolvedYaml(config_));
  return manifest;
}

void Saver::SaveStageStart(const std::string& stage, const RunState& state, Learner& learner) {
  if (!is_root()) return;
  const std::vector<char> flat = learner.parameters().ToBytes();
  StageStartWriter writer(files_, StageParent(stage), unique_);
  writer.AddFile(kPolicyConfigFile, learner.decoder().config().ToJson());
  writer.AddFile(kPolicyFile, SafetensorsFromFlat(learner.parameters().layout(),
                                                  {flat.data(), flat.size()}, {}));
  writer.AddFile(kStateFile, state.WithoutAttempt().ToJson());
  writer.Commit(ManifestOf(state));
}

std::optional<RunState> Saver::Find() {
  std::string directory;
  std::string state_json;
  if (is_root()) {
    RemoveLeftovers(files_, CheckpointRoot());
    const auto report = [this](const std::string& bad, const std::string& why) {
      log_.Error("passed over: " + bad + " is bad: " + why);
    };
    if (const auto found = FindResumePoint(files_, config_.RunDirectory(), config_, report)) {
      const RunState& state = found->state;
      directory = found->directory;
      state_json = state.ToJson();
      log_.Info(fmt::format("going on from {}: stage '{}' step {}, step {} of the run", directory,
                            config_.stages.at(state.stage_index).name, state.stage_step,
                            state.run_step));
    }
  }
  BroadcastString(comm_, &directory, /*patient=*/true);
  if (directory.empty()) return std::nullopt;
  BroadcastString(comm_, &state_json, /*patient=*/false);
  loaded_from_ = directory;
  return RunState::FromJson(state_json, directory + "/" + kStateFile);
}

std::string Saver::LoadPolicyConfig() {
  return files_.ReadFile(loaded_from_ + "/" + kPolicyConfigFile, kMaxConfigBytes);
}

void Saver::LoadWeights(Learner& learner) {
  const std::string path = loaded_from_ + "/" + kPolicyFile;
  const std::vector<char> flat = FlatFromSafetensors(files_.ReadFile(path, kMaxFileBytes), path,
                                                     learner.parameters().layout());
  learner.parameters().LoadBytes({flat.data(), flat.size()});
}

void Saver::LoadOptimizer(Learner& learner) {
  // Lets a test show that a resume which forgets the moments does not look exact.
  if (PONDER_FAILPOINT("resume.skip_moments")) return;
  std::vector<OptimizerShard> shards;
  const std::string folder = loaded_from_ + "/optimizer";
  for (const std::string& name : files_.List(folder)) {
    const std::string path = folder + "/" + name;
    shards.push_back({path, files_.ReadFile(path, kMaxFileBytes)});
  }
  learner.optimizer()->LoadShards(shards);
}

StageProgress Saver::LoadProgress(const RunState& state) {
  StageProgress progress;
  progress.next_step = state.stage_step;
  if (state.stage_step == 0) return progress;
  progress.frontier = state.frontier;
  const std::string path = loaded_from_ + "/" + kGroupsFile;
  progress.stored = ParseGroups(files_.ReadFile(path, kMaxFileBytes), path);
  return progress;
}

}  // namespace ponder
