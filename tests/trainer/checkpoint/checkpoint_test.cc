// Saving, loading, falling back and cleaning up, one thing at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "tests/trainer/checkpoint/sample_checkpoint.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CheckpointTest : public ::testing::Test {
 protected:
  void Save(int64_t step, int64_t keep = 10) { SaveSample(files_, step, keep); }

  // The step that loads, and what was reported on the way.
  std::optional<int64_t> Load() {
    reports_.clear();
    const auto loaded =
        LoadNewest(files_, kSampleRoot, [this](const std::string& path, const std::string& why) {
          reports_.push_back(path + ": " + why);
        });
    if (!loaded) return std::nullopt;
    EXPECT_TRUE(IsWholeSample(*loaded));
    return loaded->manifest.step;
  }

  std::string PathOf(int64_t step, const std::string& file) const {
    return std::string(kSampleRoot) + "/" + CheckpointName(step) + "/" + file;
  }

  void Overwrite(const std::string& path, const std::string& bytes) {
    files_.Create(path)->Append(bytes);
  }

  std::string Read(const std::string& path) { return files_.ReadFile(path, 1 << 20); }

  CrashFileSystem files_;
  std::vector<std::string> reports_;
};

TEST_F(CheckpointTest, LoadsTheNewestByteForByte) {
  EXPECT_EQ(Load(), std::nullopt) << "no folder at all";
  Save(20);
  Save(40);
  EXPECT_EQ(Load(), 40);
  EXPECT_THAT(reports_, IsEmpty());
  EXPECT_TRUE(IsWholeSample(LoadStep(files_, kSampleRoot, 20)));
  EXPECT_EQ(Read(std::string(kSampleRoot) + "/latest"), "step_000040\n");
}

TEST_F(CheckpointTest, OrdersStepsAsNumbers) {
  Save(999'999);
  Save(1'000'000);
  EXPECT_EQ(Load(), 1'000'000);
  EXPECT_EQ(CheckpointName(7), "step_000007");
  EXPECT_EQ(StepOfCheckpointName("step_1000000"), 1'000'000);
  for (const char* name : {"step_7", "step_0000007", "step_-00001", "step_", "step_00000x",
                           "latest", ".tmp-step_000007-a1", "step_99999999999999999999"}) {
    EXPECT_EQ(StepOfCheckpointName(name), std::nullopt) << name;
  }
}

TEST_F(CheckpointTest, IgnoresTheHintWhenItIsWrongOrMissing) {
  Save(20);
  Save(40);
  Overwrite(std::string(kSampleRoot) + "/latest", "step_000020\n");
  EXPECT_EQ(Load(), 40);
  files_.RemoveFile(std::string(kSampleRoot) + "/latest");
  EXPECT_EQ(Load(), 40);
}

TEST_F(CheckpointTest, RemovesWhatKilledWritersLeft) {
  Save(20);
  const std::string leftover = std::string(kSampleRoot) + "/.tmp-step_000040-a1-1";
  files_.MakeDirectories(leftover);
  Overwrite(leftover + "/state.json", "half");
  files_.MakeDirectories(std::string(kSampleRoot) + "/.trash-step_000000-a1-1");
  EXPECT_EQ(Load(), 20);
  EXPECT_EQ(CountNames(files_, kSampleRoot, "."), 2) << "a reader changes nothing";
  RemoveLeftovers(files_, kSampleRoot);
  EXPECT_THAT(files_.List(kSampleRoot), ElementsAre("latest", "step_000020"));
}

TEST_F(CheckpointTest, ACommitMayComeStepsLater) {
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  SaveSample(files_, writer, 20);
  writer.Begin(40);
  EXPECT_TRUE(writer.is_open());
  const auto contents = SampleFiles(40);
  for (const auto& [path, bytes] : contents) {
    if (path != "experience/groups.bin") writer.AddFile(path, bytes);
  }
  CrashFileSystem later = files_;  // the world goes on; a kill here loads the one before
  EXPECT_EQ(LoadNewest(later, kSampleRoot, IgnoreReports)->manifest.step, 20);
  writer.AddFile("experience/groups.bin", contents.at("experience/groups.bin"));
  writer.Commit(SampleManifest(40));
  EXPECT_FALSE(writer.is_open());
  EXPECT_EQ(Load(), 40);
}

TEST_F(CheckpointTest, OneSaveAtATime) {
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  writer.Begin(20);
  EXPECT_THROW(writer.Begin(40), Error);
  writer.Abort();
  EXPECT_FALSE(writer.is_open());
  EXPECT_THROW(writer.AddFile("a", "b"), Error);
  EXPECT_THROW(writer.Commit({}), Error);
  EXPECT_THAT(files_.List(kSampleRoot), IsEmpty());
  SaveSample(files_, writer, 20);
  EXPECT_EQ(Load(), 20);
}

TEST_F(CheckpointTest, AnAbandonedWriterLeavesNothing) {
  {
    CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
    writer.Begin(20);
    writer.AddFile("policy/model.safetensors", "bytes");
  }
  EXPECT_THAT(files_.List(kSampleRoot), IsEmpty());
}

TEST_F(CheckpointTest, TwoWritersAtOnceAreCaughtClearly) {
  CheckpointWriter first(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  CheckpointWriter second(files_, kSampleRoot, {.keep = 3, .unique = "a1-2"});
  CheckpointWriter twin(files_, kSampleRoot, {.keep = 3, .unique = "a1-2"});
  first.Begin(20);
  second.Begin(20);
  EXPECT_THROW(twin.Begin(20), CheckpointError) << "the same temporary folder";
  for (const auto& [path, bytes] : SampleFiles(20)) {
    first.AddFile(path, bytes);
    second.AddFile(path, bytes);
  }
  first.Commit(SampleManifest(20));
  try {
    second.Commit(SampleManifest(20));
    FAIL() << "expected a refusal";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_THAT(error.what(), HasSubstr("step_000020"));
    EXPECT_THAT(error.what(), HasSubstr("another writer"));
  }
  EXPECT_EQ(Load(), 20);
  EXPECT_EQ(CountNames(files_, kSampleRoot, "."), 0) << "no leftovers";
}

// Lets another writer finish at the last moment, between the look and the rename.
class RacingFileSystem : public CrashFileSystem {
 public:
  std::function<void()> before_rename_new;
  void RenameNew(const std::string& from, const std::string& to) override {
    if (before_rename_new) std::exchange(before_rename_new, nullptr)();
    CrashFileSystem::RenameNew(from, to);
  }
};

TEST(CheckpointRace, TheRenameItselfNeverReplaces) {
  RacingFileSystem files;
  files.before_rename_new = [&files] {
    CheckpointWriter other(files, kSampleRoot, {.keep = 3, .unique = "a1-2"});
    SaveSample(files, other, 20);
  };
  EXPECT_THROW(SaveSample(files, 20, /*keep=*/3), CheckpointError);
  EXPECT_TRUE(IsWholeSample(LoadStep(files, kSampleRoot, 20)));
  EXPECT_EQ(CountNames(files, kSampleRoot, "."), 0);
}

TEST_F(CheckpointTest, KnowsWhatIsSavedAlready) {
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  EXPECT_FALSE(writer.Has(20));
  SaveSample(files_, writer, 20);
  EXPECT_TRUE(writer.Has(20));
  EXPECT_THROW(writer.Begin(20), CheckpointError);
  Overwrite(PathOf(20, "state.json"), "{}");
  EXPECT_FALSE(writer.Has(20)) << "it no longer verifies";
  SaveSample(files_, writer, 20);
  EXPECT_EQ(Load(), 20);
}

TEST_F(CheckpointTest, KeepsTheNewestOnes) {
  for (const int64_t step : {20, 40, 60, 80, 100}) Save(step, /*keep=*/3);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(100, 80, 60));
  EXPECT_EQ(CountNames(files_, kSampleRoot, "."), 0);
}

TEST_F(CheckpointTest, ThePinnedOneStaysBesideTheNewest) {
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 2, .unique = "a1-1"});
  for (const int64_t step : {20, 40, 60, 80, 100}) SaveSample(files_, writer, step, /*pinned=*/40);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(100, 80, 40));
  SaveSample(files_, writer, 120, /*pinned=*/120);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(120, 100))
      << "the one that was pinned before goes, and a new one counts among the newest";
}

TEST_F(CheckpointTest, RetentionCountsOnlyWhatVerifies) {
  for (const int64_t step : {20, 40, 60}) Save(step);
  Overwrite(PathOf(40, "state.json"), "{}");
  Overwrite(PathOf(60, "policy/model.safetensors"), "x");
  files_.MakeDirectories(std::string(kSampleRoot) + "/step_000070");  // unfinished: no manifest
  Save(80, /*keep=*/2);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(80, 70, 60, 40, 20))
      << "80 and 20 are the two that verify";
  Save(100, /*keep=*/2);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(100, 80));
}

TEST_F(CheckpointTest, RetentionNeverRemovesTheLastGoodOne) {
  Save(100, /*keep=*/1);
  Save(60, /*keep=*/1);  // gone on from an older state: 100 verifies and is newer
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(100, 60));
  Overwrite(PathOf(100, "state.json"), "{}");
  Save(80, /*keep=*/1);
  EXPECT_THAT(CheckpointSteps(files_, kSampleRoot), ElementsAre(100, 80));
  EXPECT_EQ(Load(), 80);
}

TEST_F(CheckpointTest, RefusesToBeginWithoutRoom) {
  Save(20);
  const uint64_t size =
      ReadManifest(files_, std::string(kSampleRoot) + "/step_000020").total_bytes();
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  files_.SetFreeBytes(size + size / 5 - 1);
  try {
    writer.Begin(40);
    FAIL() << "expected a refusal";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.exit_code(), 74);
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(size + size / 5) + " free bytes"));
  }
  EXPECT_FALSE(writer.is_open());
  EXPECT_EQ(Load(), 20);
  files_.SetFreeBytes(size + size / 5);
  SaveSample(files_, writer, 40);
  EXPECT_EQ(Load(), 40);
}

TEST_F(CheckpointTest, NoticesARankFileThatIsNotThere) {
  CheckpointWriter writer(files_, kSampleRoot, {.keep = 3, .unique = "a1-1"});
  writer.Begin(20);
  EXPECT_THROW(writer.AddFileFromRank(RecordOf("optimizer/rank_00001.safetensors", "abc")),
               CheckpointError);
  EXPECT_FALSE(writer.is_open());
  writer.Begin(20);
  WriteCheckpointFile(files_, writer.directory(), "rank", "ab");
  EXPECT_THROW(writer.AddFileFromRank(RecordOf("rank", "abc")), CheckpointError);
  writer.Begin(20);
  WriteCheckpointFile(files_, writer.directory(), "rank", "abd");
  writer.AddFileFromRank(RecordOf("rank", "abc"));
  EXPECT_THROW(writer.Commit(SampleManifest(20)), CheckpointError) << "read back before renaming";
  EXPECT_THAT(files_.List(kSampleRoot), IsEmpty());
}

TEST_F(CheckpointTest, AMissingFileIsABadCheckpointOnlyWhenAskedFor) {
  Save(20);
  const LoadedCheckpoint loaded = LoadStep(files_, kSampleRoot, 20);
  EXPECT_EQ(loaded.File("state.json"), "{\"run_step\": 20}\n");
  EXPECT_THROW(loaded.File("critic/model.safetensors"), CheckpointError);
  EXPECT_THROW(LoadStep(files_, kSampleRoot, 40), CheckpointError);
}

TEST_F(CheckpointTest, AStageStartIsPinned) {
  const std::string parent = "runs/quick/stages/reason";
  EXPECT_FALSE(LoadStageStart(files_, parent).has_value());
  SaveSampleStart(files_, parent, 120, "a1-1");
  const size_t written = files_.operations().size();
  ASSERT_TRUE(IsWholeSample(LoadStageStart(files_, parent).value()));

  SaveSampleStart(files_, parent, 120, "a2-1");
  EXPECT_TRUE(IsWholeSample(LoadStageStart(files_, parent).value()));
  EXPECT_EQ(CountNames(files_, parent, "."), 0);
  for (size_t index = written; index < files_.operations().size(); ++index) {
    EXPECT_NE(files_.operations()[index].kind, DiskOperation::Kind::kRename)
        << "writing the same again moves nothing";
  }

  EXPECT_THROW(SaveSampleStart(files_, parent, 121, "a3-1"), CheckpointError);
  EXPECT_EQ(LoadStageStart(files_, parent)->manifest.step, 120);
  EXPECT_EQ(CountNames(files_, parent, "."), 0);

  Overwrite(parent + "/start/state.json", "{}");
  EXPECT_THROW(LoadStageStart(files_, parent), CheckpointError);
  SaveSampleStart(files_, parent, 120, "a4-1");
  EXPECT_TRUE(IsWholeSample(LoadStageStart(files_, parent).value()));
}

}  // namespace
}  // namespace ponder
