// Damaged checkpoints and full disks: the reader falls back loudly, the writer leaves what was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/fakes/crash_file_system.h"
#include "core/base/philox.h"
#include "tests/trainer/checkpoint/sample_checkpoint.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kNumFlips = 1000;
constexpr uint64_t kTruncationBorderBytes = 4096;

// Two good checkpoints, 20 and 40, of which tests damage the newer.
class DamageTest : public ::testing::Test {
 protected:
  DamageTest() {
    SaveSample(files_, 20, /*keep=*/3);
    SaveSample(files_, 40, /*keep=*/3);
  }

  static std::string PathOf(const std::string& file, int64_t step = 40) {
    return std::string(kSampleRoot) + "/" + CheckpointName(step) + "/" + file;
  }

  static std::vector<std::string> AllFiles() {
    std::vector<std::string> paths{kManifestName};
    for (const auto& [path, bytes] : SampleFiles(40)) paths.push_back(path);
    return paths;
  }

  // Loads from a copy after `damage`; expects the older checkpoint and one report that names
  // `file`.
  template <typename Damage>
  void ExpectFallback(const std::string& file, Damage damage) {
    CrashFileSystem copy = files_;
    damage(copy);
    std::vector<std::string> reports;
    const auto loaded =
        LoadNewest(copy, kSampleRoot, [&reports](const std::string& path, const std::string& why) {
          reports.push_back(path + ": " + why);
        });
    ASSERT_TRUE(loaded.has_value());
    ASSERT_TRUE(IsWholeSample(*loaded));
    ASSERT_EQ(loaded->manifest.step, 20) << file;
    ASSERT_THAT(reports, SizeIs(1));
    ASSERT_THAT(reports[0], HasSubstr("step_000040"));
    ASSERT_THAT(reports[0], HasSubstr(file));
  }

  static void Overwrite(CrashFileSystem& files, const std::string& path, const std::string& bytes) {
    files.Create(path)->Append(bytes);
  }

  CrashFileSystem files_;
};

TEST_F(DamageTest, AFlippedBitAnywhereFallsBackLoudly) {
  const std::vector<std::string> paths = AllFiles();
  uint64_t num_flips = 0;
  for (uint64_t trial = 0; trial < kNumFlips; ++trial) {
    const RandomStream random(/*seed=*/9, RandomPurpose::kTest, trial, /*sample=*/0);
    const std::string& path = paths[random.Below(0, paths.size())];
    std::string bytes = files_.ReadFile(PathOf(path), 1 << 20);
    if (bytes.empty()) continue;
    char& byte = bytes[random.Below(1, bytes.size())];
    byte = static_cast<char>(byte ^ (1 << random.Below(2, 8)));
    ExpectFallback(path, [&](CrashFileSystem& copy) { Overwrite(copy, PathOf(path), bytes); });
    if (HasFatalFailure()) FAIL() << "trial " << trial;
    ++num_flips;
  }
  std::printf("%llu flipped bits: all found, all fell back\n",
              static_cast<unsigned long long>(num_flips));
  EXPECT_GT(num_flips, kNumFlips / 2);
}

TEST_F(DamageTest, ATruncatedOrExtendedFileFallsBack) {
  for (const std::string& path : AllFiles()) {
    const uint64_t size = files_.FileSize(PathOf(path));
    for (uint64_t border = 0; border < size; border += kTruncationBorderBytes) {
      ExpectFallback(path, [&](CrashFileSystem& copy) { copy.Truncate(PathOf(path), border); });
    }
    if (size > 0) {
      ExpectFallback(path, [&](CrashFileSystem& copy) { copy.Truncate(PathOf(path), size - 1); });
    }
    ExpectFallback(path, [&](CrashFileSystem& copy) {
      copy.OpenForAppend(PathOf(path))->Append(std::string(1, '\0'));
    });
  }
}

TEST_F(DamageTest, AMissingFileFallsBack) {
  for (const std::string& path : AllFiles()) {
    ExpectFallback(path == kManifestName ? "manifest" : path,
                   [&](CrashFileSystem& copy) { copy.RemoveFile(PathOf(path)); });
  }
}

TEST_F(DamageTest, AFolderWithTheManifestOfAnotherStepFallsBack) {
  ExpectFallback("step 20", [&](CrashFileSystem& copy) {
    for (const std::string& path : AllFiles()) {
      Overwrite(copy, PathOf(path), files_.ReadFile(PathOf(path, 20), 1 << 20));
    }
  });
}

TEST_F(DamageTest, AMixOfTwoCheckpointsIsNoCheckpoint) {
  for (const auto& [path, bytes] : SampleFiles(20)) {
    if (bytes == SampleFiles(40).at(path)) continue;
    ExpectFallback(path, [&, file = path, old = bytes](CrashFileSystem& copy) {
      Overwrite(copy, PathOf(file), old);
    });
  }
}

TEST_F(DamageTest, AFileInPlaceOfTheFolderFallsBack) {
  ExpectFallback("manifest", [&](CrashFileSystem& copy) {
    const std::string folder = std::string(kSampleRoot) + "/step_000040";
    copy.RemoveTree(folder);
    Overwrite(copy, folder, "not a folder");
  });
}

TEST_F(DamageTest, RefusesToBeginAgainWhenNothingVerifies) {
  Overwrite(files_, PathOf("state.json", 20), "{}");
  Overwrite(files_, PathOf("policy/config.json", 40), "{}");
  std::vector<std::string> reports;
  try {
    LoadNewest(files_, kSampleRoot, [&reports](const std::string& path, const std::string& why) {
      reports.push_back(path + ": " + why);
    });
    FAIL() << "expected a refusal";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.exit_code(), 65);
    EXPECT_THAT(error.what(), HasSubstr("step_000020/state.json"));
    EXPECT_THAT(error.what(), HasSubstr("step_000040/policy/config.json"));
  }
  EXPECT_THAT(reports, SizeIs(2));
}

// A disk that is full from the k-th operation on, and one that fails once.
TEST_F(DamageTest, AFullDiskAtAnyOperationLeavesThePreviousCheckpoint) {
  for (const bool and_all_after : {true, false}) {
    uint64_t num_points = 0;
    uint64_t num_committed = 0;
    for (uint64_t nth = 0;; ++nth) {
      CrashFileSystem files = files_;
      CheckpointWriter writer(files, kSampleRoot, {.keep = 2, .unique = "a2-1"});
      files.FailNth(nth, and_all_after);
      bool failed = false;
      try {
        SaveSample(files, writer, 60);
      } catch (const Error& error) {
        failed = true;
        EXPECT_EQ(error.condition(), Condition::kIo) << error.what();
        EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
        EXPECT_THAT(error.what(), HasSubstr(kSampleRoot));
      }
      ASSERT_EQ(failed, files.has_failed()) << "operation " << nth << " failed in silence";
      files.StopFailing();
      if (!failed) break;
      ++num_points;
      EXPECT_FALSE(writer.is_open());
      EXPECT_EQ(CountNames(files, kSampleRoot, kTemporaryPrefix), 0) << "after operation " << nth;
      const auto loaded =
          LoadNewest(files, kSampleRoot, [](const std::string& path, const std::string& why) {
            ADD_FAILURE() << path << ": " << why;
          });
      ASSERT_TRUE(loaded && IsWholeSample(*loaded)) << "operation " << nth;
      ASSERT_TRUE(loaded->manifest.step == 40 || loaded->manifest.step == 60);
      num_committed += loaded->manifest.step == 60;
      // The next save works, and removes what this one could not.
      SaveSample(files, writer, 80);
      ASSERT_EQ(LoadNewest(files, kSampleRoot, IgnoreReports)->manifest.step, 80);
      ASSERT_EQ(CountNames(files, kSampleRoot, "."), 0) << "leftovers after operation " << nth;
    }
    std::printf("disk full %s operation k, %llu points: %llu keep the old one, %llu have the new\n",
                and_all_after ? "from" : "at", static_cast<unsigned long long>(num_points),
                static_cast<unsigned long long>(num_points - num_committed),
                static_cast<unsigned long long>(num_committed));
    EXPECT_GT(num_points, 20u);
    EXPECT_GT(num_points, 2 * num_committed);
  }
}

#ifdef PONDER_FAILPOINTS
TEST_F(DamageTest, EveryPhaseHasAFailpointAndSurvivesIt) {
  for (const char* phase : {"begin", "file", "manifest", "rename", "latest", "retention"}) {
    const std::string name = std::string("checkpoint.") + phase;
    CrashFileSystem files = files_;
    CheckpointWriter writer(files, kSampleRoot, {.keep = 2, .unique = "a2-1"});
    ASSERT_EQ(setenv("PONDER_FAILPOINTS", (name + "=error@1").c_str(), /*replace=*/1), 0);
    ConfigureFailpoints("trainer", /*rank=*/0);
    try {
      SaveSample(files, writer, 60);
      ADD_FAILURE() << name << " did not fire";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
    ASSERT_EQ(unsetenv("PONDER_FAILPOINTS"), 0);
    ConfigureFailpoints("trainer", /*rank=*/0);
    EXPECT_FALSE(writer.is_open());
    const bool is_published = name == "checkpoint.latest" || name == "checkpoint.retention";
    const auto loaded = LoadNewest(files, kSampleRoot, IgnoreReports);
    ASSERT_TRUE(loaded && IsWholeSample(*loaded)) << name;
    EXPECT_EQ(loaded->manifest.step, is_published ? 60 : 40) << name;
  }
}
#endif

// On the machine's own file system: links, permissions, real renames.
class RealDiskTest : public ::testing::Test {
 protected:
  RealDiskTest() : files_(MakeRealFileSystem()) {
    std::string name = std::filesystem::temp_directory_path() / "ponder_checkpoint_XXXXXX";
    PONDER_CHECK(mkdtemp(name.data()) != nullptr) << name;
    base_ = name;
    root_ = base_ + "/runs/quick/checkpoints";
    for (const int64_t step : {20, 40}) {
      CheckpointWriter writer(*files_, root_, {.keep = 3, .unique = "a1-1"});
      SaveSample(*files_, writer, step);
    }
  }
  ~RealDiskTest() override { std::filesystem::remove_all(base_); }

  std::optional<int64_t> Load() {
    reports_.clear();
    const auto loaded =
        LoadNewest(*files_, root_, [this](const std::string& path, const std::string& why) {
          reports_.push_back(path + ": " + why);
        });
    if (!loaded) return std::nullopt;
    EXPECT_TRUE(IsWholeSample(*loaded));
    return loaded->manifest.step;
  }

  const std::unique_ptr<FileSystem> files_;
  std::string base_;
  std::string root_;
  std::vector<std::string> reports_;
};

TEST_F(RealDiskTest, SavesAndLoads) {
  EXPECT_EQ(Load(), 40);
  EXPECT_THAT(reports_, SizeIs(0));
  EXPECT_THAT(files_->List(root_), ElementsAre("latest", "step_000020", "step_000040"));
  struct stat status {};
  ASSERT_EQ(stat((root_ + "/step_000040/state.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0444u, 0444u) << "others may read it";
}

TEST_F(RealDiskTest, RefusesSymbolicLinksAtEveryLevel) {
  const std::string folder = root_ + "/step_000040";
  const auto with_link = [&](const std::string& path, const std::string& target) {
    std::filesystem::rename(path, path + "-moved");
    std::filesystem::create_symlink(target, path);
    EXPECT_EQ(Load(), 20) << path;
    ASSERT_THAT(reports_, SizeIs(1));
    EXPECT_THAT(reports_[0], HasSubstr("symbolic link"));
    std::filesystem::remove(path);
    std::filesystem::rename(path + "-moved", path);
    EXPECT_EQ(Load(), 40) << path;
  };
  with_link(folder + "/state.json", "state.json-moved");
  with_link(folder + "/policy", "policy-moved");
  with_link(folder + "/MANIFEST.json", "MANIFEST.json-moved");
  // The whole folder: the bytes behind the link are right, but they are not this run's.
  std::filesystem::rename(folder, base_ + "/elsewhere");
  std::filesystem::create_directory_symlink(base_ + "/elsewhere", folder);
  EXPECT_EQ(Load(), 20);
  ASSERT_THAT(reports_, SizeIs(1));
  EXPECT_THAT(reports_[0], HasSubstr("symbolic link"));
}

TEST_F(RealDiskTest, DoesNotFollowALinkWhenItRemoves) {
  const std::string treasure = base_ + "/treasure";
  std::filesystem::create_directory(treasure);
  files_->Create(treasure + "/gold")->Close();
  std::filesystem::create_directory_symlink(treasure, root_ + "/.tmp-step_000060-a1-1");
  RemoveLeftovers(*files_, root_);
  EXPECT_EQ(Load(), 40);
  EXPECT_TRUE(files_->Exists(treasure + "/gold"));
  EXPECT_FALSE(files_->IsSymlink(root_ + "/.tmp-step_000060-a1-1"));
}

// Some files may not be read, as under permissions that bind this user.
class DeniedFileSystem : public CrashFileSystem {
 public:
  std::string denied;
  std::string ReadFile(const std::string& path, uint64_t max_bytes) override {
    if (path == denied) throw Error(Condition::kIo, "opening " + path + ": Permission denied");
    return CrashFileSystem::ReadFile(path, max_bytes);
  }
};

TEST(UnreadableCheckpoint, FallsBackLoudly) {
  DeniedFileSystem files;
  SaveSample(files, 20, /*keep=*/3);
  SaveSample(files, 40, /*keep=*/3);
  for (const char* file : {"state.json", "MANIFEST.json"}) {
    files.denied = std::string(kSampleRoot) + "/step_000040/" + file;
    std::vector<std::string> reports;
    const auto loaded =
        LoadNewest(files, kSampleRoot, [&reports](const std::string& path, const std::string& why) {
          reports.push_back(path + ": " + why);
        });
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->manifest.step, 20);
    ASSERT_THAT(reports, SizeIs(1));
    EXPECT_THAT(reports[0], HasSubstr("Permission denied"));
  }
}

}  // namespace
}  // namespace ponder
