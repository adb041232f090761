#include "tests/trainer/checkpoint/sample_checkpoint.h"

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

// Written by rank 1; everything else by rank 0.
constexpr const char* kRankFile = "optimizer/rank_00001.safetensors";

std::string RandomBytes(int64_t step, uint32_t file, size_t size) {
  const RandomStream random(/*seed=*/71, RandomPurpose::kTest, static_cast<uint64_t>(step), file);
  std::string bytes;
  for (uint32_t position = 0; bytes.size() < size; ++position) {
    for (const uint32_t word : random.Words(position)) {
      for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(word >> shift));
    }
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::map<std::string, std::string> SampleFiles(int64_t step) {
  return {{"policy/model.safetensors", RandomBytes(step, 0, 5000)},
          {"policy/config.json", "{\"hidden_size\": 64}\n"},  // the same at every step
          {"optimizer/rank_00000.safetensors", RandomBytes(step, 1, 2100)},
          {kRankFile, RandomBytes(step, 2, 1024)},
          {"experience/groups.bin", ""},
          {"state.json", "{\"run_step\": " + std::to_string(step) + "}\n"}};
}

Manifest SampleManifest(int64_t step) {
  Manifest manifest;
  manifest.step = step;
  manifest.attempt = 1;
  manifest.world_size = 2;
  manifest.versions = {{"policy", static_cast<uint64_t>(step)}};
  manifest.config_digest = Sha256Hex("config");
  return manifest;
}

void SaveSample(FileSystem& files, CheckpointWriter& writer, int64_t step,
                std::optional<int64_t> pinned) {
  writer.Begin(step);
  for (const auto& [path, bytes] : SampleFiles(step)) {
    if (path == kRankFile) {
      // Rank 1 tells rank 0 when it fails.
      std::string record;
      try {
        record = WriteCheckpointFile(files, writer.directory(), path, bytes).ToJson();
      } catch (const Error&) {
        writer.Abort();
        throw;
      }
      writer.AddFileFromRank(FileRecord::FromJson(record, "rank 1"));
    } else {
      writer.AddFile(path, bytes);
    }
  }
  writer.Commit(SampleManifest(step), pinned);
}

void SaveSample(FileSystem& files, int64_t step, int64_t keep) {
  CheckpointWriter writer(files, kSampleRoot, {.keep = keep, .unique = "a1-1"});
  SaveSample(files, writer, step);
}

void SaveSampleStart(FileSystem& files, const std::string& parent, int64_t step,
                     const std::string& unique) {
  StageStartWriter writer(files, parent, unique);
  for (const auto& [path, bytes] : SampleFiles(step)) writer.AddFile(path, bytes);
  writer.Commit(SampleManifest(step));
}

bool IsWholeSample(const LoadedCheckpoint& loaded) {
  Manifest manifest = SampleManifest(loaded.manifest.step);
  for (const auto& [path, bytes] : SampleFiles(manifest.step)) {
    manifest.files.push_back(RecordOf(path, bytes));
  }
  if (!(loaded.manifest == manifest)) return false;
  for (const auto& [path, bytes] : SampleFiles(manifest.step)) {
    if (loaded.File(path) != bytes) return false;
  }
  return true;
}

int CountNames(FileSystem& files, const std::string& path, std::string_view prefix) {
  int count = 0;
  for (const std::string& name : files.List(path))
    count += name.compare(0, prefix.size(), prefix) == 0;
  return count;
}

}  // namespace ponder
