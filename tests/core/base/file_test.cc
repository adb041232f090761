#include "core/base/file.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMaxBytes = 1 << 20;

class RealFileSystemTest : public ::testing::Test {
 protected:
  RealFileSystemTest() : files_(MakeRealFileSystem()) {
    char folder[] = "/tmp/ponder_file_XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~RealFileSystemTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  void Write(const std::string& name, std::string_view bytes) {
    const auto file = files_->Create(Path(name));
    file->Append(bytes);
    file->Close();
  }

  std::string Read(const std::string& name) { return files_->ReadFile(Path(name), kMaxBytes); }

  std::unique_ptr<FileSystem> files_;
  std::string folder_;
};

// Expects that `body` throws `condition` with all of `parts` in its text.
void ExpectError(Condition condition, const std::vector<std::string>& parts,
                 const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "nothing was thrown; expected " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), condition) << error.what();
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST_F(RealFileSystemTest, ReadsBackWhatWasAppended) {
  const auto file = files_->Create(Path("a"));
  file->Append("one ");
  file->Append(std::string_view("t\0o", 3));
  file->Sync();
  file->Close();
  EXPECT_EQ(Read("a"), std::string("one t\0o", 7));
  EXPECT_EQ(files_->FileSize(Path("a")), 7u);
}

TEST_F(RealFileSystemTest, CreatesFilesThatOthersMayRead) {
  umask(022);
  Write("a", "x");
  struct stat status {};
  ASSERT_EQ(stat(Path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST_F(RealFileSystemTest, CreateTruncatesAndOpenForAppendDoesNot) {
  Write("a", "old");
  files_->OpenForAppend(Path("a"))->Append("+new");
  EXPECT_EQ(Read("a"), "old+new");
  Write("a", "new");
  EXPECT_EQ(Read("a"), "new");
}

TEST_F(RealFileSystemTest, CutsAFile) {
  Write("a", "0123456789");
  files_->Truncate(Path("a"), 4);
  EXPECT_EQ(Read("a"), "0123");
}

TEST_F(RealFileSystemTest, RefusesAFileLargerThanTheLimit) {
  Write("a", "12345");
  EXPECT_EQ(files_->ReadFile(Path("a"), /*max_bytes=*/5), "12345");
  ExpectError(Condition::kBadData, {Path("a"), "5 bytes", "at most 4"},
              [&] { files_->ReadFile(Path("a"), /*max_bytes=*/4); });
}

TEST_F(RealFileSystemTest, RefusesWhatIsNoRegularFileWithoutBlocking) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  ExpectError(Condition::kIo, {Path("pipe"), "regular file"}, [&] { Read("pipe"); });
  ExpectError(Condition::kIo, {folder_, "regular file"},
              [&] { files_->ReadFile(folder_, kMaxBytes); });
}

TEST_F(RealFileSystemTest, ListsNamesSortedAndNothingOfAMissingFolder) {
  for (const char* name : {"b", "a", "c.tmp"}) Write(name, "");
  EXPECT_THAT(files_->List(folder_), ElementsAre("a", "b", "c.tmp"));
  EXPECT_THAT(files_->List(Path("missing")), IsEmpty());
}

TEST_F(RealFileSystemTest, RenameReplacesAFile) {
  Write("a", "new");
  Write("b", "old");
  files_->Rename(Path("a"), Path("b"));
  EXPECT_THAT(files_->List(folder_), ElementsAre("b"));
  EXPECT_EQ(Read("b"), "new");
}

TEST_F(RealFileSystemTest, RenameNewReplacesNeitherFilesNorFolders) {
  Write("a", "new");
  Write("b", "old");
  ExpectError(Condition::kIo, {Path("a"), Path("b"), "File exists"},
              [&] { files_->RenameNew(Path("a"), Path("b")); });
  EXPECT_EQ(Read("b"), "old");
  files_->MakeDirectories(Path("from"));
  files_->MakeDirectories(Path("to"));  // empty: an ordinary rename would replace it
  EXPECT_THROW(files_->RenameNew(Path("from"), Path("to")), Error);
  files_->RenameNew(Path("from"), Path("other"));
  EXPECT_TRUE(files_->Exists(Path("other")));
}

TEST_F(RealFileSystemTest, MakesAndRemovesTrees) {
  files_->MakeDirectories(Path("x/y/z"));
  files_->MakeDirectories(Path("x/y/z"));
  Write("x/y/z/file", "1");
  files_->SyncDirectory(Path("x/y/z"));
  files_->RemoveTree(Path("x"));
  EXPECT_FALSE(files_->Exists(Path("x")));
  files_->RemoveTree(Path("x"));
}

TEST_F(RealFileSystemTest, TellsSymbolicLinks) {
  Write("a", "1");
  ASSERT_EQ(symlink(Path("a").c_str(), Path("link").c_str()), 0);
  EXPECT_TRUE(files_->IsSymlink(Path("link")));
  EXPECT_FALSE(files_->IsSymlink(Path("a")));
  EXPECT_FALSE(files_->IsSymlink(Path("missing")));
}

TEST_F(RealFileSystemTest, NamesOperationPathAndCause) {
  const std::string missing = Path("no/such");
  const std::string cause = "No such file or directory";
  ExpectError(Condition::kIo, {"writing", missing, cause}, [&] { files_->Create(missing); });
  ExpectError(Condition::kIo, {"reading", missing, cause},
              [&] { files_->ReadFile(missing, kMaxBytes); });
  ExpectError(Condition::kIo, {"size", missing, cause}, [&] { files_->FileSize(missing); });
  ExpectError(Condition::kIo, {"renaming", missing, cause},
              [&] { files_->Rename(missing, Path("b")); });
  ExpectError(Condition::kIo, {"removing", missing, cause}, [&] { files_->RemoveFile(missing); });
  ExpectError(Condition::kIo, {"folder", missing, cause}, [&] { files_->SyncDirectory(missing); });
  ExpectError(Condition::kIo, {"cutting", missing, cause}, [&] { files_->Truncate(missing, 0); });
  ExpectError(Condition::kIo, {"free space", missing, cause}, [&] { files_->FreeBytes(missing); });
  Write("file", "");
  ExpectError(Condition::kIo, {"making the folder", Path("file/x"), "Not a directory"},
              [&] { files_->MakeDirectories(Path("file/x")); });
}

TEST_F(RealFileSystemTest, ReportsAWriteThatTheSystemRefuses) {
  // Beyond the limit on file sizes write fails with EFBIG (and SIGXFSZ, which is ignored here).
  constexpr rlim_t kLimitBytes = 1024;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit lowered = before;
  lowered.rlim_cur = kLimitBytes;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &lowered), 0);
  const auto file = files_->Create(Path("a"));
  ExpectError(Condition::kIo, {"writing", Path("a"), "File too large"},
              [&] { file->Append(std::string(2 * kLimitBytes, 'x')); });
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(files_->FileSize(Path("a")), kLimitBytes);
}

TEST_F(RealFileSystemTest, KnowsItsFreeSpace) { EXPECT_GT(files_->FreeBytes(folder_), 0u); }

TEST(Sha256, MatchesThePublishedExamples) {
  // FIPS 180-2, appendix B.
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Crc32c, MatchesThePublishedExamples) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(""), 0u);
}

RC_GTEST_PROP(Digests, DoNotDependOnHowTheBytesAreDivided, (const std::string& bytes)) {
  const auto middle = *rc::gen::inRange<size_t>(0, bytes.size() + 1);
  const std::string_view all = bytes;
  RC_ASSERT(Crc32c(all.substr(middle), Crc32c(all.substr(0, middle))) == Crc32c(all));
  Sha256 digest;
  digest.Update(all.substr(0, middle));
  digest.Update(all.substr(middle));
  RC_ASSERT(digest.FinishHex() == Sha256Hex(all));
}

}  // namespace
}  // namespace ponder
