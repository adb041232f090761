// Every key is documented, and configs/README.md says what the code does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "core/config/experiment.h"
#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

std::filesystem::path ConfigsFolder() {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  return std::filesystem::path(source == nullptr ? "." : source) / "configs";
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(ConfigReferenceTest, TheReadmeIsThatOfTheCode) {
  EXPECT_TRUE(ReadAll(ConfigsFolder() / "README.md") == ConfigReferenceMarkdown())
      << "configs/README.md is out of date; run: ponder config-reference > configs/README.md";
}

void CheckKeys(const Section& section, const std::string& path) {
  std::set<std::string> names;
  for (const Key& key : section.keys()) {
    const std::string where = path + "." + key.spec.name;
    EXPECT_TRUE(names.insert(key.spec.name).second) << where << " is declared twice";
    EXPECT_FALSE(key.spec.help.empty()) << where << " has no help";
    EXPECT_EQ(key.spec.help.find('\n'), std::string::npos) << where << ": help is one line";
    EXPECT_FALSE(key.spec.unit.empty()) << where << " has no unit";
    EXPECT_FALSE(key.range.empty()) << where << " has no range";
    for (const char* suffix : {"_s", "_steps", "_tokens"}) {
      if (!key.spec.name.ends_with(suffix)) continue;
      EXPECT_EQ("_" + key.spec.unit, suffix) << where << ": the name promises a unit";
    }
    if (key.child != nullptr) CheckKeys(*key.child, where);
  }
}

TEST(ConfigReferenceTest, EveryKeyHasHelpRangeAndTheUnitOfItsName) {
  CheckKeys(ExperimentSection(), "");
}

TEST(ConfigReferenceTest, KindsListKeysThatExist) {
  for (const Kind& kind : AlgorithmKinds()) {
    for (const std::string& key : kind.keys) {
      EXPECT_NE(StageSection().Find(key), nullptr) << kind.name << " lists '" << key << "'";
    }
  }
  for (const Kind& kind : RewardKinds()) {
    for (const std::string& key : kind.keys) {
      EXPECT_NE(RewardSection().Find(key), nullptr) << kind.name << " lists '" << key << "'";
    }
  }
  for (const Kind& kind : TaskKinds()) {
    for (const std::string& key : kind.keys) {
      EXPECT_NE(TaskSection().Find(key), nullptr) << kind.name << " lists '" << key << "'";
    }
  }
}

TEST(ConfigReferenceTest, EveryExampleIsValid) {
  for (const auto& entry : std::filesystem::directory_iterator(ConfigsFolder())) {
    if (entry.path().extension() != ".yaml") continue;
    EXPECT_NO_THROW(ReadExperiment(entry.path().string(), {})) << entry.path();
  }
}

TEST(ConfigReferenceTest, ItsTableNamesFilesThatExist) {
  const std::string readme = ConfigReferenceMarkdown();
  const std::regex link("\\]\\(([a-z_]+\\.yaml)\\)");
  int count = 0;
  for (std::sregex_iterator it(readme.begin(), readme.end(), link), end; it != end; ++it, ++count) {
    EXPECT_TRUE(std::filesystem::exists(ConfigsFolder() / (*it)[1].str())) << (*it)[1];
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace ponder
