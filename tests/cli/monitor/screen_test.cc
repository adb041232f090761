#include "cli/monitor/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ponder {
namespace {

using testing::ElementsAre;

// As much of a terminal as Redraw needs: rows that scroll without an end, and a cursor. Refuses
// everything else, so that a new escape sequence needs a thought.
class Terminal {
 public:
  explicit Terminal(size_t width) : width_(width) {}

  void Take(const std::string& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r') {
        column_ = 0;
      } else if (bytes[i] == '\n') {
        ++row_;
      } else if (bytes[i] == '\033') {
        i = Escape(bytes, i);
      } else {
        Put(bytes[i]);
      }
      if (rows_.size() <= row_) rows_.resize(row_ + 1);
    }
  }
  // What a terminal does that wraps its lines anew.
  void Narrow(size_t width) {
    std::vector<std::string> rows;
    for (const std::string& row : rows_) {
      for (size_t begin = 0; begin == 0 || begin < row.size(); begin += width) {
        rows.push_back(row.substr(begin, width));
      }
    }
    rows_ = rows;
    row_ = rows_.size() - 1;
    width_ = width;
  }
  // Rows without trailing blanks, and without empty rows at the end.
  std::vector<std::string> Text() const {
    std::vector<std::string> rows = rows_;
    for (std::string& row : rows) row.erase(row.find_last_not_of(' ') + 1);
    while (!rows.empty() && rows.back().empty()) rows.pop_back();
    return rows;
  }
  bool cursor_shown() const { return cursor_shown_; }

 private:
  void Put(char c) {
    ASSERT_LT(column_, width_) << "a full row wraps";
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
    std::string& row = rows_[row_];
    row.resize(std::max(row.size(), column_ + 1), ' ');
    row[column_++] = c;
  }
  size_t Escape(const std::string& bytes, size_t at) {
    const size_t end = bytes.find_first_of("ABJKhlm", at);
    const std::string body = bytes.substr(at + 2, end - at - 2);
    switch (bytes.at(end)) {
      case 'A':
        row_ -= std::min<size_t>(row_, std::stoul(body));
        break;
      case 'B':
        row_ += std::stoul(body);
        break;
      case 'J':
        rows_.resize(row_ + 1);
        rows_[row_].resize(std::min(rows_[row_].size(), column_));
        break;
      case 'K':
        rows_[row_].resize(std::min(rows_[row_].size(), column_));
        break;
      case 'h':
      case 'l':
        EXPECT_EQ(body, "?25");
        cursor_shown_ = bytes[end] == 'h';
        break;
      default:
        ADD_FAILURE() << "unexpected escape " << body << bytes[end];
    }
    return end;
  }

  size_t width_;
  std::vector<std::string> rows_{""};
  size_t row_ = 0;
  size_t column_ = 0;
  bool cursor_shown_ = true;
};

class RedrawTest : public testing::Test {
 protected:
  void Draw(const std::vector<std::string>& above, const std::vector<std::string>& lines,
            size_t width = 20) {
    bytes_ = Redraw(&drawn_, above, lines, width);
    terminal_.Take(bytes_);
  }
  DrawnBlock drawn_;
  Terminal terminal_{20};
  std::string bytes_;
};

TEST_F(RedrawTest, ABlockIsReplacedInPlace) {
  Draw({}, {"one", "two"});
  Draw({}, {"one", "2"});
  EXPECT_THAT(terminal_.Text(), ElementsAre("one", "2"));
  EXPECT_TRUE(terminal_.cursor_shown());
}

TEST_F(RedrawTest, OnlyLinesThatChangedAreSent) {
  Draw({}, {"first line", "second line", "third line"});
  Draw({}, {"first line", "second LINE", "third line"});
  EXPECT_EQ(bytes_.find("first"), std::string::npos);
  EXPECT_EQ(bytes_.find("third"), std::string::npos);
  Draw({}, {"first line", "second LINE", "third line"});
  EXPECT_EQ(bytes_, "") << "a slow line gets nothing when nothing changed";
}

TEST_F(RedrawTest, LinesScrollAboveTheBlock) {
  Draw({}, {"block 1", "block 2"});
  Draw({"log a", "log b"}, {"block 1", "block 2"});
  Draw({"log c"}, {"block 3"});
  EXPECT_THAT(terminal_.Text(), ElementsAre("log a", "log b", "log c", "block 3"));
}

TEST_F(RedrawTest, AnEmptyBlockLeavesOnlyTheLinesAbove) {
  Draw({"log a"}, {"block 1", "block 2"});
  Draw({"log b"}, {});
  EXPECT_THAT(terminal_.Text(), ElementsAre("log a", "log b"));
}

TEST_F(RedrawTest, AfterANarrowerTerminalWrappedTheBlockNothingOfItIsLeft) {
  Draw({"log a"}, {"a block of 18 col.", "short"});
  terminal_.Narrow(10);
  Draw({}, {"a block", "short"}, 10);
  EXPECT_THAT(terminal_.Text(), ElementsAre("log a", "a block", "short"));
}

}  // namespace
}  // namespace ponder
