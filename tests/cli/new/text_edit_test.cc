#include "cli/new/text_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTable =
    "constexpr std::array<Row, 2> kRows{{\n"
    "    {\"b\"},\n"
    "    {\"d\"},\n"
    "}};\n"
    "}};\n";
constexpr LineBlock kRows{"kRows{{", "}};"};

std::string MessageOf(const std::function<void(SourceText*)>& change, const std::string& text) {
  SourceText source{"tables/rows.cc", text};
  try {
    change(&source);
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_EQ(source.text, text) << "refused, but changed";
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(TextEdit, AppendsBeforeTheFirstClosingLineOfTheBlock) {
  SourceText source{"rows.cc", kTable};
  AppendToBlock(kRows, "    {\"c\"},\n", &source);
  EXPECT_THAT(source.text, HasSubstr("{\"d\"},\n    {\"c\"},\n}};\n}};\n"));
}

TEST(TextEdit, InsertsALineWhereItBelongsInTheOrder) {
  for (const auto& [line, expected] :
       {std::pair{"    {\"a\"},\n", "{{\n    {\"a\"},\n    {\"b\"}"},
        std::pair{"    {\"c\"},\n", "{\"b\"},\n    {\"c\"},\n    {\"d\"}"},
        std::pair{"    {\"e\"},\n", "{\"d\"},\n    {\"e\"},\n}};"}}) {
    SourceText source{"rows.cc", kTable};
    InsertSorted(kRows, line, &source);
    EXPECT_THAT(source.text, HasSubstr(expected));
  }
}

TEST(TextEdit, CountsOneMore) {
  SourceText source{"rows.cc", "std::array<Row, 9> rows"};
  IncrementAfter("std::array<Row, ", &source);
  EXPECT_EQ(source.text, "std::array<Row, 10> rows");
}

TEST(TextEdit, InsertsRightAfterAnAnchor) {
  SourceText source{"CMakeLists.txt", "SOURCES a.cc\n"};
  InsertAfter("SOURCES ", "b.cc ", &source);
  EXPECT_EQ(source.text, "SOURCES b.cc a.cc\n");
}

TEST(TextEdit, RefusesAPlaceThatIsMissingOrDouble) {
  const auto append = [](SourceText* source) { AppendToBlock(kRows, "x\n", source); };
  EXPECT_THAT(MessageOf(append, "nothing\n"),
              HasSubstr("tables/rows.cc: expected 'kRows{{' exactly once"));
  EXPECT_THAT(MessageOf(append, std::string(kTable) + kTable), HasSubstr("exactly once"));
  EXPECT_THAT(MessageOf(append, "kRows{{\n  }};\n"), HasSubstr("the line '}};' after 'kRows{{'"));
  EXPECT_THAT(MessageOf([](SourceText* source) { IncrementAfter("<Row, ", source); }, "<Row, N>"),
              HasSubstr("a number after"));
}

}  // namespace
}  // namespace ponder
