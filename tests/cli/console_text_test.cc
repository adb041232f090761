// Text from outside must not steer the terminal, and lines must fit it.
#include "cli/console_text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "cli/text_page.h"
#include "tests/cli/terminal_stdout.h"

namespace ponder {
namespace {

TEST(PrintableTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(Printable("a\033[31mred\a\n\x7f"), "a\\x1b[31mred\\x07\\x0a\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "the one-byte form of ESC [ in UTF-8";
  EXPECT_EQ(Printable("gold\xe2\x80\xae"
                      "txt"),
            "gold\\xe2\\x80\\xaetxt")
      << "right-to-left override";
  EXPECT_EQ(Printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80") << "no UTF-8";
  EXPECT_EQ(Printable("\\x1b"), "\\\\x1b")
      << "an escape can be told from a text that looks like one";
}

TEST(PrintableTest, KeepsLettersAndCutsWhatIsLong) {
  EXPECT_EQ(Printable("caf\xc3\xa9 \xe6\x95\xb0 \xf0\x9f\x99\x82"),
            "caf\xc3\xa9 \xe6\x95\xb0 \xf0\x9f\x99\x82");
  EXPECT_EQ(Printable("abcdef", 3), "abc...");
  EXPECT_EQ(Printable("ab\xc3\xa9", 3), "ab...") << "never half a letter";
}

TEST(WrapTest, BreaksAtSpacesAndInWordsThatAreTooLong) {
  EXPECT_EQ(Wrap("one two three", 0, 2, 8), "one two\n  three\n");
  EXPECT_EQ(Wrap("0123456789abc", 0, 1, 6), "012345\n 6789a\n bc\n");
  EXPECT_EQ(Wrap("/one/two/three", 0, 0, 10), "/one/two/\nthree\n") << "paths break at a slash";
  EXPECT_EQ(Wrap("", 0, 0, 8), "\n");
}

TEST(NumbersTest, ReadWell) {
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(458'752), "458.8 kB");
  EXPECT_EQ(BytesText(999'960), "1.0 MB");
  EXPECT_EQ(BytesText(~uint64_t{0}), "18.4 EB");
  EXPECT_EQ(CountText(114'688), "114,688");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(Plural(1, "file"), "1 file");
  EXPECT_EQ(Plural(2, "file"), "2 files");
}

TEST(TextPageTest, ATableThatIsWiderThanThePageBecomesAList) {
  TextPage page({.columns = 40, .colour = false});
  page.Table({"name", "algorithm", ">saved", ">steps", "state"},
             {{{"a_stage_with_a_name", "supervised", "1,000", "2,000", "in progress"}}});
  EXPECT_EQ(page.text(),
            "  name, algorithm, saved, steps, state\n"
            "  a_stage_with_a_name, supervised,\n"
            "    1,000, 2,000, in progress\n");
}

TEST(StyleOfStdoutTest, FollowsTheTerminalBetweenFortyAndAHundredAndTwentyColumns) {
  struct Case {
    unsigned short terminal;
    size_t columns;
  };
  for (const Case& tried : {Case{20, 40}, Case{52, 52}, Case{100, 100}, Case{300, 120}}) {
    size_t columns = 0;
    const std::string printed =
        PrintedOnTerminal(tried.terminal, [&] { columns = StyleOfStdout().columns; });
    EXPECT_FALSE(printed.empty()) << "no terminal to be had";
    EXPECT_EQ(columns, tried.columns);
  }
}

TEST(TextPageTest, FitsTheWidthAndPaintsOnlyWhenAsked) {
  for (const bool colour : {false, true}) {
    TextPage page({.columns = 60, .colour = colour});
    page.Title("a title");
    page.Line(std::string(150, 'x') + " " + std::string(40, 'y'), Tone::kBad);
    page.Item("label", "words that go on and on until the line is full and then go on again", 10);
    page.Table({"name", ">size", "what"},
               {{{"a", "12", "a last cell that is longer than what is left of its line by far"}},
                {{std::string(70, 'n'), "1", "z"}, Tone::kBad}});
    if (colour) {
      EXPECT_NE(page.text().find("\033["), std::string::npos);
      continue;
    }
    EXPECT_EQ(page.text().find('\033'), std::string::npos);
    std::istringstream lines(page.text());
    for (std::string line; std::getline(lines, line);) {
      if (line.find("nnn") == std::string::npos) {
        EXPECT_LE(line.size(), 60u) << line;
      }
      EXPECT_TRUE(line.empty() || line.back() != ' ') << "'" << line << "'";
    }
  }
}

}  // namespace
}  // namespace ponder
