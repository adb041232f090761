// WriteFileAtomically against full disks and power cuts.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "core/base/file.h"

namespace ponder {
namespace {

constexpr const char* kFolder = "runs";
constexpr const char* kPath = "runs/latest";
constexpr uint64_t kMaxBytes = 1 << 20;
constexpr uint64_t kTornBorderBytes = 512;

const std::string kOld(1500, 'o');
const std::string kNew(2000, 'n');

// A disk on which kPath holds kOld for good.
void WriteOld(FileSystem& files) {
  files.MakeDirectories(kFolder);
  files.SyncDirectory(".");
  WriteFileAtomically(files, kPath, kOld);
}

TEST(WriteFileAtomically, WritesAndReplaces) {
  CrashFileSystem files;
  WriteOld(files);
  WriteFileAtomically(files, kPath, kNew);
  EXPECT_EQ(files.ReadFile(kPath, kMaxBytes), kNew);
  EXPECT_EQ(files.List(kFolder), std::vector<std::string>{"latest"});
}

TEST(WriteFileAtomically, LeavesTheOldFileOrTheNewOneAfterAPowerCutAtAnyInstant) {
  CrashFileSystem files;
  WriteOld(files);
  const size_t begin = files.operations().size();
  WriteFileAtomically(files, kPath, kNew);
  const std::vector<DiskOperation>& operations = files.operations();
  int num_old = 0;
  int num_new = 0;
  const auto check = [&](size_t count, const PowerCut& cut) {
    CrashFileSystem after(DiskAfter(operations, count, cut));
    const std::string bytes = after.ReadFile(kPath, kMaxBytes);
    ASSERT_TRUE(bytes == kOld || bytes == kNew) << "a mix after " << count << " operations";
    // Once the call has returned, nothing takes the new file away.
    ASSERT_TRUE(count < operations.size() || bytes == kNew) << "lost after it was written";
    ++(bytes == kOld ? num_old : num_new);
  };
  for (size_t count = begin; count <= operations.size(); ++count) {
    check(count, {});
    check(count, {.keeps_data = false});
    check(count, {.keeps_entries = false});
    check(count, {.keeps_data = false, .keeps_entries = false});
    for (uint64_t torn = 0; torn <= kNew.size(); torn += kTornBorderBytes) {
      check(count, {.torn_bytes = torn});
    }
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const RandomStream random(seed, RandomPurpose::kTest, count, /*sample=*/0);
      check(count, {.random = &random});
    }
  }
  EXPECT_GT(num_old, 0);
  EXPECT_GT(num_new, 0);
}

TEST(WriteFileAtomically, KeepsTheOldFileAndNoLeftoverWhenTheDiskIsFull) {
  CrashFileSystem probe;
  WriteOld(probe);
  probe.FailNth(/*nth=*/1000, /*and_all_after=*/true);
  WriteFileAtomically(probe, kPath, kNew);
  const uint64_t num_charged = probe.num_charged();
  ASSERT_GE(num_charged, 5u);  // create, append, sync, close, rename, sync of the folder

  for (const bool and_all_after : {false, true}) {
    for (uint64_t nth = 0; nth < num_charged; ++nth) {
      CrashFileSystem files;
      WriteOld(files);
      files.FailNth(nth, and_all_after);
      EXPECT_THROW(WriteFileAtomically(files, kPath, kNew), Error) << "failure " << nth;
      // The last operation, the sync of the folder, fails after the rename.
      const bool renamed = nth + 1 == num_charged;
      EXPECT_EQ(files.ReadFile(kPath, kMaxBytes), renamed ? kNew : kOld) << "failure " << nth;
      EXPECT_EQ(files.List(kFolder), std::vector<std::string>{"latest"}) << "failure " << nth;

      files.StopFailing();
      WriteFileAtomically(files, kPath, kNew);
      EXPECT_EQ(files.ReadFile(kPath, kMaxBytes), kNew) << "after failure " << nth;
    }
  }
}

TEST(WriteFileAtomically, WritesIntoTheWorkingFolder) {
  CrashFileSystem files;
  WriteFileAtomically(files, "latest", kNew);
  EXPECT_EQ(files.ReadFile("latest", kMaxBytes), kNew);
}

}  // namespace
}  // namespace ponder
