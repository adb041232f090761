// What the reader makes of YAML itself, and of files made to hurt.
#include "core/config/yaml_document.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "core/config/yaml_writer.h"

namespace ponder {
namespace {

struct Loaded {
  std::optional<YamlNode> root;
  std::string problems;
};

Loaded Load(const std::string& text, const YamlLimits& limits = {}) {
  Problems problems("x.yaml", {});
  Loaded loaded;
  loaded.root = LoadYaml(text, YamlPlace::kFile, limits, &problems);
  loaded.problems = problems.Text();
  return loaded;
}

TEST(YamlDocumentTest, LinesAndColumnsCountFromOne) {
  const Loaded loaded = Load("a: 1\nb:\n  c: 2\n");
  ASSERT_TRUE(loaded.root);
  const YamlEntry& b = loaded.root->entries.at(1);
  EXPECT_EQ(b.place.line, 2);
  EXPECT_EQ(b.place.column, 1);
  EXPECT_EQ(b.value.entries.at(0).value.place.line, 3);
  EXPECT_EQ(b.value.entries.at(0).value.place.column, 6);
}

TEST(YamlDocumentTest, DuplicateKeysStayVisible) {
  const Loaded loaded = Load("a: 1\na: 2\n");
  ASSERT_TRUE(loaded.root);
  EXPECT_EQ(loaded.root->entries.size(), 2u);
}

TEST(YamlDocumentTest, AnEmptyValueIsPlacedAtItsKey) {
  const Loaded loaded = Load("a:\n\n\nb: 1\n");
  ASSERT_TRUE(loaded.root);
  const YamlNode& empty = loaded.root->entries.at(0).value;
  EXPECT_EQ(empty.kind, YamlNode::Kind::kNull);
  EXPECT_EQ(empty.place.line, 1);
  EXPECT_EQ(empty.place.column, 1);
}

TEST(YamlDocumentTest, QuotedTextIsToldFromPlainText) {
  const Loaded loaded = Load("[5, \"5\", '5', null, \"null\"]");
  ASSERT_TRUE(loaded.root);
  const auto& items = loaded.root->items;
  EXPECT_EQ(items.at(0).style, YamlNode::Style::kPlain);
  EXPECT_EQ(items.at(1).style, YamlNode::Style::kQuoted);
  EXPECT_EQ(items.at(2).style, YamlNode::Style::kQuoted);
  EXPECT_EQ(items.at(3).kind, YamlNode::Kind::kNull);
  EXPECT_EQ(items.at(4).kind, YamlNode::Kind::kScalar);
}

TEST(YamlDocumentTest, AliasesStandForWhatTheyName) {
  const Loaded loaded = Load("a: &x {b: 1}\nc: *x\n");
  ASSERT_TRUE(loaded.root) << loaded.problems;
  EXPECT_EQ(WriteYamlInline(*loaded.root), "{a: {b: 1}, c: {b: 1}}");
}

TEST(YamlDocumentTest, AnAliasBombIsRefusedBeforeItUnfolds) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  const Loaded loaded = Load(text);
  EXPECT_FALSE(loaded.root);
  EXPECT_EQ(loaded.problems,
            "x.yaml:5:45: expected at most 100000 values with aliases expanded, got more");
}

TEST(YamlDocumentTest, AnAliasInsideItselfIsRefused) {
  EXPECT_EQ(Load("a: &x [*x]\n").problems, "x.yaml:1:8: an alias inside what it stands for");
}

TEST(YamlDocumentTest, KeysThatAreNoNamesAreAllTold) {
  const Loaded loaded = Load("a: &x 1\n[b]: 1\n*x : 2\n? {c: 1}\n: 3\n~: 4\n!!str d: 5\ne: 6\n");
  EXPECT_EQ(loaded.problems,
            "x.yaml:2:1: expected a name as key, got a list or section\n"
            "x.yaml:3:1: expected a name as key, got an alias\n"
            "x.yaml:4:3: expected a name as key, got a list or section\n"
            "x.yaml:6:1: a key is missing before ':'\n"
            "x.yaml:7:1: YAML tags are not taken, got 'tag:yaml.org,2002:str'");
  ASSERT_TRUE(loaded.root);
  EXPECT_EQ(WriteYamlInline(*loaded.root), "{a: 1, d: 5, e: 6}");
}

TEST(YamlDocumentTest, DeepNestingIsRefused) {
  const auto nested = [](int depth) {
    return "a: " + std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(Load(nested(31)).root) << "the map and 31 lists";
  EXPECT_EQ(Load(nested(32)).problems,
            "x.yaml:1:35: expected at most 32 levels of nesting, got more");
  EXPECT_FALSE(Load(nested(100'000)).root);
}

TEST(YamlDocumentTest, NestingThroughAliasesCountsToo) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_EQ(Load(text).problems, "x.yaml:31:12: expected at most 32 levels of nesting, got more");
}

TEST(YamlDocumentTest, LargeFilesAreRefused) {
  const std::string text((1u << 20) + 1, '#');
  EXPECT_EQ(Load(text).problems, "x.yaml:1:1: expected at most 1048576 bytes, got 1048577");
}

TEST(YamlDocumentTest, BytesThatAreNoTextAreRefused) {
  EXPECT_EQ(Load(std::string("a: 1\nb\0: 2\n", 11)).problems,
            "x.yaml:2:2: expected text, got the control character 0");
}

TEST(YamlDocumentTest, EveryTabInAnIndentationIsTold) {
  EXPECT_EQ(Load("a:\n\tb: 1\n \tc: 2\n").problems,
            "x.yaml:2:1: indentation with a tab; use spaces\n"
            "x.yaml:3:2: indentation with a tab; use spaces");
  EXPECT_TRUE(Load("a: 1\t# a tab before a comment\n").root);
}

TEST(YamlDocumentTest, ByteOrderMarksAndWindowsLineEndsAreText) {
  const Loaded loaded = Load(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n");
  ASSERT_TRUE(loaded.root) << loaded.problems;
  EXPECT_EQ(WriteYamlInline(*loaded.root), "{a: 1, b: 2}");
}

TEST(YamlDocumentTest, ValuesReadTheEnvironment) {
  setenv("PONDER_TEST_NAME", "night", 1);
  setenv("PONDER_TEST_EMPTY", "", 1);
  unsetenv("PONDER_TEST_UNSET");
  const Loaded loaded = Load(
      "a: run-${PONDER_TEST_NAME}-${PONDER_TEST_UNSET:-3}\n"
      "b: ${PONDER_TEST_EMPTY:-default}\n"
      "c: \"${PONDER_TEST_UNSET:-}\"\n"
      "${PONDER_TEST_NAME}: keys are left alone\n");
  ASSERT_TRUE(loaded.root) << loaded.problems;
  EXPECT_EQ(loaded.root->entries.at(0).value.text, "run-night-3");
  EXPECT_EQ(loaded.root->entries.at(1).value.text, "default");
  EXPECT_EQ(loaded.root->entries.at(2).value.text, "");
  EXPECT_EQ(loaded.root->entries.at(3).key, "${PONDER_TEST_NAME}");
}

TEST(YamlDocumentTest, AVariableCannotBringYamlWithIt) {
  setenv("PONDER_TEST_NAME", "x\nseed: 5", 1);
  const Loaded loaded = Load("a: ${PONDER_TEST_NAME}\n");
  ASSERT_TRUE(loaded.root);
  EXPECT_EQ(loaded.root->entries.size(), 1u);
  EXPECT_EQ(loaded.root->entries.at(0).value.text, "x\nseed: 5");
}

TEST(YamlDocumentTest, UnsetVariablesAndBrokenFormsAreRefused) {
  unsetenv("PONDER_TEST_UNSET");
  EXPECT_EQ(Load("a: ${PONDER_TEST_UNSET}\n").problems,
            "x.yaml:1:4: the environment variable PONDER_TEST_UNSET is not set; set it, or write "
            "${PONDER_TEST_UNSET:-default}");
  EXPECT_EQ(Load("a: ${PONDER_TEST_UNSET:}\nb: ${}\n").problems,
            "x.yaml:1:4: expected ${NAME} or ${NAME:-default}, got '${PONDER_TEST_UNSET:}'\n"
            "x.yaml:2:4: expected ${NAME} or ${NAME:-default}, got '${}'")
      << "all of them at once";
  EXPECT_EQ(Load("a: \"${PONDER\"\n").problems,
            "x.yaml:1:4: expected ${NAME} or ${NAME:-default}, got '${PONDER'");
  EXPECT_EQ(Load("a: \"${1}\"\n").problems,
            "x.yaml:1:4: expected ${NAME} or ${NAME:-default}, got '${1}'");
}

}  // namespace
}  // namespace ponder
