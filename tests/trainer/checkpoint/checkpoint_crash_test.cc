// The checkpoint writer's crash points, enumerated: a power cut after every operation, in every way
// in which a disk may lose what was not synced, and the loader on each disk that remains.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "tests/trainer/checkpoint/sample_checkpoint.h"

namespace ponder {
namespace {

constexpr uint64_t kTornBorderBytes = 512;
constexpr uint64_t kNumRandomCuts = 16;
constexpr uint64_t kNumRandomCutsOfMainTest = 96;

// Calls `check(disk, count)` for the disks after the first `count` operations, first <= count <=
// all of them. Returns how many disks that were.
template <typename Check>
int ForEachCrash(const std::vector<DiskOperation>& operations, size_t first, Check check,
                 uint64_t num_random_cuts = kNumRandomCuts) {
  int num_states = 0;
  const auto visit = [&](size_t count, const PowerCut& cut) {
    check(DiskAfter(operations, count, cut), count);
    ++num_states;
  };
  for (size_t count = first; count <= operations.size(); ++count) {
    visit(count, {});
    visit(count, {.keeps_data = false});
    visit(count, {.keeps_entries = false});
    visit(count, {.keeps_data = false, .keeps_entries = false});
    if (count > 0 && operations[count - 1].kind == DiskOperation::Kind::kAppend) {
      for (uint64_t torn = 0; torn < operations[count - 1].text.size(); torn += kTornBorderBytes) {
        visit(count, {.torn_bytes = torn});
      }
    }
    for (uint64_t seed = 0; seed < num_random_cuts; ++seed) {
      const RandomStream random(seed, RandomPurpose::kTest, count, /*sample=*/0);
      visit(count, {.random = &random});
    }
  }
  return num_states;
}

// The step that a resumed run starts from; nothing when there is none. Fails unless it is whole.
std::optional<int64_t> Recover(CrashFileSystem& files) {
  RemoveLeftovers(files, kSampleRoot);
  const std::optional<LoadedCheckpoint> loaded = LoadNewest(files, kSampleRoot, IgnoreReports);
  if (!loaded) return std::nullopt;
  EXPECT_TRUE(IsWholeSample(*loaded)) << "a mix at step " << loaded->manifest.step;
  EXPECT_EQ(CountNames(files, kSampleRoot, kTemporaryPrefix), 0);
  EXPECT_EQ(CountNames(files, kSampleRoot, kTrashPrefix), 0);
  return loaded->manifest.step;
}

size_t PositionOfRename(const std::vector<DiskOperation>& operations, const std::string& to) {
  for (size_t index = 0; index < operations.size(); ++index) {
    const DiskOperation& operation = operations[index];
    if (operation.kind == DiskOperation::Kind::kRename && operation.text == to) return index;
  }
  ADD_FAILURE() << "nothing was renamed to " << to;
  return 0;
}

class CheckpointCrashTest : public ::testing::Test {
 protected:
  // Saves `steps` one after the other, keeping two.
  void Save(const std::vector<int64_t>& steps) {
    CheckpointWriter writer(files_, kSampleRoot, {.keep = 2, .unique = "a1-1"});
    for (const int64_t step : steps) SaveSample(files_, writer, step);
  }

  CrashFileSystem files_;
};

TEST_F(CheckpointCrashTest, EveryCrashPointLoadsTheOldOrTheNewStateNeverAMix) {
  Save({40, 80});
  const size_t begin = files_.operations().size();
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 2, .unique = "a2-1"});
  SaveSample(files_, writer, 120);  // retention removes step 40
  const std::vector<DiskOperation> operations = files_.operations();
  const size_t renamed = PositionOfRename(operations, "step_000120");
  ASSERT_GT(renamed, begin);
  size_t durable = renamed;
  while (operations[durable].kind != DiskOperation::Kind::kSyncFolder) ++durable;
  EXPECT_EQ(durable, renamed + 1) << "the rename is made durable before anything else";

  std::map<int64_t, int> loaded;
  const int num_states = ForEachCrash(
      operations, begin,
      [&](const Disk& disk, size_t count) {
        CrashFileSystem after(disk);
        const std::optional<int64_t> step = Recover(after);
        ASSERT_TRUE(step.has_value()) << "after " << count << " operations";
        // Nothing that has a checkpoint's name is less than one, the half-removed included.
        for (const int64_t other : CheckpointSteps(after, kSampleRoot)) {
          ASSERT_TRUE(IsWholeSample(LoadStep(after, kSampleRoot, other)))
              << "step " << other << " after " << count << " operations";
        }
        // Before the rename only the old state exists; once its folder is synced the new one stays.
        if (count <= renamed) {
          ASSERT_EQ(*step, 80) << "after " << count << " operations";
        } else if (count > durable) {
          ASSERT_EQ(*step, 120) << "after " << count << " operations";
        } else {
          ASSERT_TRUE(*step == 80 || *step == 120) << *step << " after " << count;
        }
        ++loaded[*step];
      },
      kNumRandomCutsOfMainTest);
  std::printf(
      "%zu operations, %d crash states: %d load the old checkpoint, %d the new one, 0 a mix, "
      "0 nothing\n",
      operations.size() - begin, num_states, loaded[80], loaded[120]);
  EXPECT_GT(num_states, 1000);
  EXPECT_GT(loaded[80], 0);
  EXPECT_GT(loaded[120], 0);
}

TEST_F(CheckpointCrashTest, TheFirstCheckpointIsThereOrNotAndNothingIsEverBad) {
  Save({20});
  const std::vector<DiskOperation> operations = files_.operations();
  const size_t renamed = PositionOfRename(operations, "step_000020");
  int num_none = 0;
  int num_loaded = 0;
  const int num_states = ForEachCrash(operations, 0, [&](const Disk& disk, size_t count) {
    CrashFileSystem after(disk);
    const std::optional<int64_t> step = Recover(after);
    if (count <= renamed) {
      ASSERT_FALSE(step.has_value()) << "after " << count << " operations";
    }
    ++(step.has_value() ? num_loaded : num_none);
  });
  std::printf("%zu operations, %d crash states: %d load nothing, %d the first checkpoint\n",
              operations.size(), num_states, num_none, num_loaded);
  // When the writer has returned, the checkpoint is durable with all folders above it.
  CrashFileSystem after(
      DiskAfter(operations, operations.size(), {.keeps_data = false, .keeps_entries = false}));
  EXPECT_EQ(Recover(after), std::optional<int64_t>(20));
}

TEST_F(CheckpointCrashTest, TheRunGoesOnAfterEveryCrash) {
  Save({40, 80});
  const size_t begin = files_.operations().size();
  SaveSample(files_, 120, /*keep=*/2);
  int num_states = 0;
  const std::vector<DiskOperation> operations = files_.operations();
  for (size_t count = begin; count <= operations.size(); ++count) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      const RandomStream random(seed, RandomPurpose::kTest, count, /*sample=*/1);
      CrashFileSystem after(DiskAfter(operations, count, {.random = &random}));
      const std::optional<int64_t> step = Recover(after);
      ASSERT_TRUE(step.has_value());
      const int64_t next = *step + 40;  // 120 again, or the one after it
      SaveSample(after, next, /*keep=*/2);
      ASSERT_EQ(Recover(after), std::optional<int64_t>(next)) << "after " << count;
      ++num_states;
    }
  }
  std::printf("%d crash states: each goes on and saves again\n", num_states);
}

TEST_F(CheckpointCrashTest, ABadFolderIsReplacedWithoutAMomentWithoutCheckpoint) {
  Save({80, 120});
  files_.Truncate(std::string(kSampleRoot) + "/step_000120/state.json", 3);
  const size_t begin = files_.operations().size();
  SaveSample(files_, 120, /*keep=*/2);
  const int num_states =
      ForEachCrash(files_.operations(), begin, [](const Disk& disk, size_t count) {
        CrashFileSystem after(disk);
        const std::optional<int64_t> step = Recover(after);
        ASSERT_TRUE(step == 80 || step == 120) << "after " << count << " operations";
      });
  std::printf("%d crash states while a bad folder is replaced\n", num_states);
}

TEST_F(CheckpointCrashTest, AFurtherStateOfTheSameStepTakesItsPlaceAtOnce) {
  Save({80, 120});
  const size_t begin = files_.operations().size();
  std::map<std::string, std::string> further = SampleFiles(120);
  further["state.json"] = "{\"run_step\": 120, \"stage_complete\": true}\n";
  further["policy/model.safetensors"] += "more";
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 2, .unique = "a2-1"});
  writer.Begin(120, IfPresent::kReplace);
  for (const auto& [path, bytes] : further) writer.AddFile(path, bytes);
  writer.Commit(SampleManifest(120));

  int num_old = 0;
  int num_new = 0;
  const size_t end = files_.operations().size();
  ForEachCrash(files_.operations(), begin, [&](const Disk& disk, size_t count) {
    CrashFileSystem after(disk);
    const auto loaded = LoadNewest(after, kSampleRoot, IgnoreReports);
    ASSERT_TRUE(loaded.has_value()) << "after " << count << " operations";
    ASSERT_EQ(loaded->manifest.step, 120) << "after " << count << " operations";
    const bool is_new =
        loaded->File("policy/model.safetensors") == further.at("policy/model.safetensors") &&
        loaded->File("state.json") == further.at("state.json");
    ASSERT_TRUE(is_new || IsWholeSample(*loaded)) << "a mix after " << count << " operations";
    ASSERT_TRUE(is_new || count < end) << "Commit has returned";
    ++(is_new ? num_new : num_old);
  });
  std::printf("%d crash states load the state before, %d the further one\n", num_old, num_new);
  EXPECT_GT(num_old, 0);
  EXPECT_GT(num_new, 0);
  EXPECT_EQ(CountNames(files_, kSampleRoot, "."), 0);
}

TEST_F(CheckpointCrashTest, AStageStartIsAbsentOrWhole) {
  const std::string parent = "runs/quick/stages/reason";
  SaveSampleStart(files_, parent, 120, "a1-1");
  const size_t written = files_.operations().size();
  int num_whole = 0;
  const int num_states = ForEachCrash(files_.operations(), 0, [&](const Disk& disk, size_t count) {
    CrashFileSystem after(disk);
    const std::optional<LoadedCheckpoint> start = LoadStageStart(after, parent);
    if (start) {
      ASSERT_TRUE(IsWholeSample(*start)) << "after " << count << " operations";
      ++num_whole;
    }
    if (count == written) {
      ASSERT_TRUE(start.has_value()) << "Commit has returned";
    }
    // Whatever is left over, the next attempt can write it.
    SaveSampleStart(after, parent, 120, "a2-1");
    ASSERT_TRUE(IsWholeSample(LoadStageStart(after, parent).value()));
  });
  std::printf("%d crash states of a stage start: %d whole, %d absent, 0 bad\n", num_states,
              num_whole, num_states - num_whole);
  EXPECT_GT(num_whole, 0);
}

// The checks above see through a writer that forgets a sync: these do on purpose.
class ForgetfulFileSystem : public CrashFileSystem {
 public:
  ForgetfulFileSystem(bool forgets_files, bool forgets_folders)
      : forgets_files_(forgets_files), forgets_folders_(forgets_folders) {}

  void SyncDirectory(const std::string& path) override {
    if (!forgets_folders_) CrashFileSystem::SyncDirectory(path);
  }

  std::unique_ptr<WritableFile> Create(const std::string& path) override {
    std::unique_ptr<WritableFile> file = CrashFileSystem::Create(path);
    if (!forgets_files_) return file;
    return std::make_unique<ForgetfulFile>(std::move(file));
  }

 private:
  class ForgetfulFile : public WritableFile {
   public:
    explicit ForgetfulFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
    void Append(std::string_view bytes) override { file_->Append(bytes); }
    void Sync() override {}
    void Close() override { file_->Close(); }

   private:
    const std::unique_ptr<WritableFile> file_;
  };

  const bool forgets_files_;
  const bool forgets_folders_;
};

// Crash states in which the newest state is lost although its save had returned, or none loads at
// all.
int CountLosses(bool forgets_files, bool forgets_folders) {
  ForgetfulFileSystem files(forgets_files, forgets_folders);
  SaveSample(files, 40, /*keep=*/1);
  SaveSample(files, 80, /*keep=*/1);
  int num_losses = 0;
  ForEachCrash(files.operations(), files.operations().size(), [&](const Disk& disk, size_t) {
    CrashFileSystem after(disk);
    try {
      const auto loaded = LoadNewest(after, kSampleRoot, IgnoreReports);
      num_losses += !loaded || loaded->manifest.step != 80;
    } catch (const CheckpointError&) {
      ++num_losses;
    }
  });
  return num_losses;
}

TEST(CheckpointCrashControl, AWriterThatForgetsToSyncIsCaught) {
  EXPECT_EQ(CountLosses(/*forgets_files=*/false, /*forgets_folders=*/false), 0);
  EXPECT_GT(CountLosses(/*forgets_files=*/true, /*forgets_folders=*/false), 0);
  EXPECT_GT(CountLosses(/*forgets_files=*/false, /*forgets_folders=*/true), 0);
}

}  // namespace
}  // namespace ponder
