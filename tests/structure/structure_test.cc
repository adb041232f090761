#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/structure/structure_check.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PlantedTree : public ::testing::Test {
 protected:
  PlantedTree() : root_(std::filesystem::path(::testing::TempDir()) / "structure_test") {
    std::filesystem::remove_all(root_);
  }
  ~PlantedTree() override { std::filesystem::remove_all(root_); }

  void Plant(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  const std::filesystem::path root_;
};

TEST(StructureTest, TheProjectKeepsItsOwnRules) {
  const char* root = std::getenv("PONDER_SOURCE_DIR");
  if (root == nullptr) GTEST_SKIP() << "PONDER_SOURCE_DIR is not set; ctest sets it";
  EXPECT_THAT(CheckStructure(root), IsEmpty());
}

TEST_F(PlantedTree, RefusesThatRolloutIncludesTheTrainer) {
  Plant("rollout/worker.cc", "\n#include \"trainer/step.h\"\n");
  EXPECT_THAT(
      CheckStructure(root_),
      ElementsAre(HasSubstr("rollout/worker.cc:2: rollout may not include trainer/step.h")));
}

TEST_F(PlantedTree, RefusesThatCoreIncludesTasks) {
  Plant("core/base/x.h", "#include \"tasks/task.h\"\n");
  EXPECT_THAT(CheckStructure(root_),
              ElementsAre(HasSubstr("core/base may not include tasks/task.h")));
}

TEST_F(PlantedTree, RefusesLibTorchInATorchFreeFolder) {
  Plant("trainer/experience/x.cc", "#include <ATen/ATen.h>\n");
  EXPECT_THAT(CheckStructure(root_), ElementsAre(HasSubstr("trainer/experience is torch-free")));
}

TEST_F(PlantedTree, RefusesFilesAboveFiveHundredLines) {
  Plant("tasks/long.cc", std::string(501, '\n'));
  EXPECT_THAT(CheckStructure(root_), ElementsAre(HasSubstr("501 lines, expected at most 500")));
}

TEST_F(PlantedTree, RefusesTwoTypesOfOneName) {
  Plant("core/base/x.h", "class Finding;\nstruct Finding {\n");
  Plant("tasks/y.h", "enum class Finding : int {\n");
  EXPECT_THAT(CheckStructure(root_),
              ElementsAre(HasSubstr("tasks/y.h:1: Finding is defined in core/base/x.h:2 already")));
}

TEST_F(PlantedTree, PermitsWhatTheTableAllows) {
  Plant("rollout/worker.cc", "#include \"model/decoder.h\"\n#include \"core/base/error.h\"\n");
  Plant("trainer/step.cc", "#include \"trainer/comm/communicator.h\"\n#include <vector>\n");
  EXPECT_THAT(CheckStructure(root_), IsEmpty());
}

}  // namespace
}  // namespace ponder
