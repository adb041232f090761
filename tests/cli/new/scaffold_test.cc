// What `ponder new` writes and refuses, on a copy of the files that it changes.
#include "cli/new/scaffold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/base/error.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr NewKind kKinds[] = {NewKind::kAlgorithm, NewKind::kTask, NewKind::kReward};

using Tree = std::map<std::string, std::string>;  // path below the root -> text

Tree ReadTree(const fs::path& root) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    tree[fs::relative(entry.path(), root).generic_string()] = text.str();
  }
  return tree;
}

// A folder with the files of the sources that scaffolds change.
class ScaffoldTest : public ::testing::Test {
 protected:
  ScaffoldTest() {
    const char* source = std::getenv("PONDER_SOURCE_DIR");
    const fs::path sources = source == nullptr ? "." : source;
    std::string pattern = (fs::temp_directory_path() / "ponder_new_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    Copy(sources, "CMakeLists.txt");
    for (const NewKind kind : kKinds) {
      const Scaffold scaffold = MakeScaffold(kind, "some");
      for (const FileChange& change : scaffold.changes) Copy(sources, change.path);
      for (const NewFile& file : scaffold.new_files) {
        fs::create_directories((root_ / file.path).parent_path());
      }
    }
  }
  ~ScaffoldTest() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void Copy(const fs::path& sources, const std::string& path) {
    fs::create_directories((root_ / path).parent_path());
    fs::copy_file(sources / path, root_ / path, fs::copy_options::skip_existing);
  }

  // The text of the error; the tree must be as it was.
  std::string MessageOf(FileSystem& files, const Scaffold& scaffold) {
    const Tree before = ReadTree(root_);
    try {
      WriteScaffold(files, root_.string(), scaffold);
    } catch (const Error& error) {
      EXPECT_TRUE(ReadTree(root_) == before) << "the tree was changed";
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }

  fs::path root_;
  std::unique_ptr<FileSystem> files_ = MakeRealFileSystem();
};

TEST_F(ScaffoldTest, WritesItsFilesAndRegistersThem) {
  for (const NewKind kind : kKinds) {
    const Scaffold scaffold = MakeScaffold(kind, "two_words");
    if (kind != NewKind::kAlgorithm) fs::remove(root_ / "configs/two_words.yaml");
    WriteScaffold(*files_, root_.string(), scaffold);
    const Tree tree = ReadTree(root_);
    for (const NewFile& file : scaffold.new_files) EXPECT_EQ(tree.at(file.path), file.text);
    for (const FileChange& change : scaffold.changes) {
      EXPECT_TRUE(tree.at(change.path).find("two_words") != std::string::npos ||
                  tree.at(change.path).find("TwoWords") != std::string::npos)
          << change.path;
    }
  }
}

TEST_F(ScaffoldTest, LeavesNoPlaceholderAndNoOtherName) {
  for (const NewKind kind : kKinds) {
    for (const NewFile& file : MakeScaffold(kind, "two_words").new_files) {
      EXPECT_EQ(file.text.find("@"), std::string::npos) << file.path;
      EXPECT_NE(file.text.find("wo"), std::string::npos) << file.path;
    }
  }
}

TEST_F(ScaffoldTest, SeveralOfAKindStandBesideOneAnother) {
  for (const char* name : {"zebra", "apple", "mango"}) {
    WriteScaffold(*files_, root_.string(), MakeScaffold(NewKind::kTask, name));
  }
  const std::string registry = ReadTree(root_).at("tasks/registry.cc");
  const size_t apple = registry.find("{\"apple\", MakeAppleTask}");
  const size_t mango = registry.find("{\"mango\", MakeMangoTask}");
  const size_t zebra = registry.find("{\"zebra\", MakeZebraTask}");
  EXPECT_LT(apple, mango);
  EXPECT_LT(mango, zebra);
  EXPECT_NE(zebra, std::string::npos);
}

TEST_F(ScaffoldTest, NeverOverwrites) {
  for (const NewKind kind : kKinds) {
    const Scaffold scaffold = MakeScaffold(kind, "mine");
    const std::string last = scaffold.new_files.back().path;
    std::ofstream(root_ / last) << "precious";
    EXPECT_THAT(MessageOf(*files_, scaffold), HasSubstr(last + " exists"));
    fs::remove(root_ / last);
  }
}

TEST_F(ScaffoldTest, RefusesANameThatATableHas) {
  WriteScaffold(*files_, root_.string(), MakeScaffold(NewKind::kReward, "mine"));
  for (const char* file :
       {"reward/service/mine.cc", "tests/reward/mine_test.cc", "configs/mine.yaml"}) {
    fs::remove(root_ / file);
  }
  EXPECT_THAT(MessageOf(*files_, MakeScaffold(NewKind::kReward, "mine")),
              HasSubstr("'mine' is taken"));
}

TEST_F(ScaffoldTest, RefusesSourcesThatItDoesNotRecognise) {
  for (const NewKind kind : kKinds) {
    const Scaffold scaffold = MakeScaffold(kind, "mine");
    const std::string path = scaffold.changes[1].path;
    const Tree before = ReadTree(root_);
    std::ofstream(root_ / path) << "// rewritten by hand\n";
    EXPECT_THAT(MessageOf(*files_, scaffold), HasSubstr(path));
    std::ofstream(root_ / path) << before.at(path);
  }
}

TEST_F(ScaffoldTest, RefusesAFolderWithoutSources) {
  fs::remove(root_ / "tasks/registry.cc");
  EXPECT_THAT(MessageOf(*files_, MakeScaffold(NewKind::kTask, "mine")),
              HasSubstr("--dir: expected the folder of Ponder's sources"));
}

// A folder that stands where a file should go makes its write fail, after others succeeded.
TEST_F(ScaffoldTest, AFailedWriteTakesBackThoseBeforeIt) {
  for (const NewKind kind : kKinds) {
    Scaffold scaffold = MakeScaffold(kind, "mine");
    scaffold.changes.push_back({"CMakeLists.txt", [this](SourceText*) {
                                  // Runs when all is planned, before the first write.
                                  fs::remove(root_ / "CMakeLists.txt");
                                  fs::create_directories(root_ / "CMakeLists.txt/in_the_way");
                                }});
    const Tree before = ReadTree(root_);
    EXPECT_THROW(WriteScaffold(*files_, root_.string(), scaffold), Error);
    Tree after = ReadTree(root_);
    fs::remove_all(root_ / "CMakeLists.txt");
    std::ofstream(root_ / "CMakeLists.txt") << before.at("CMakeLists.txt");
    after["CMakeLists.txt"] = before.at("CMakeLists.txt");
    for (const auto& [path, text] : before) EXPECT_TRUE(after[path] == text) << path;
    for (const NewFile& file : scaffold.new_files) EXPECT_FALSE(after.contains(file.path));
  }
}

TEST(ScaffoldName, TakesLowerSnakeCaseOnly) {
  for (const char* name : {"a", "parity", "two_words", "gsm8k", "x2_y3"}) {
    EXPECT_NO_THROW(MakeScaffold(NewKind::kTask, name)) << name;
  }
  for (const char* name :
       {"", "Parity", "2x", "_x", "x_", "a__b", "a_2", "a-b", "a b", "../x", "ä", "class", "int",
        "co_await", "a_name_of_more_than_thirty_two_characters"}) {
    try {
      MakeScaffold(NewKind::kTask, name);
      ADD_FAILURE() << "accepted '" << name << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("got '" + std::string(name) + "'"));
    }
  }
}

}  // namespace
}  // namespace ponder
