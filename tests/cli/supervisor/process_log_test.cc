#include "cli/supervisor/process_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "cli/monitor/log_text.h"
#include "core/base/error.h"

namespace ponder {
namespace {

TEST(ChildOutput, CopiesToTheLogAndGivesWhatCame) {
  const std::string path = testing::TempDir() + "child_log";
  const std::string next_path = testing::TempDir() + "child_log_next";
  std::remove(path.c_str());
  std::remove(next_path.c_str());
  ChildOutput output(OpenLog(path));
  bool open = false;
  EXPECT_EQ(output.Pump(&open), "");
  EXPECT_TRUE(open) << "nothing there, but somebody may still write";
  ASSERT_EQ(write(output.input(), "hello\n", 6), 6);
  EXPECT_EQ(output.Pump(&open), "hello\n");
  output.SwitchLog(OpenLog(next_path));
  ASSERT_EQ(write(output.input(), "again\n", 6), 6);
  output.CloseInput();
  EXPECT_EQ(output.Pump(&open), "again\n");
  EXPECT_FALSE(open);
  EXPECT_EQ(ReadTail(path, 100), "hello\n");
  EXPECT_EQ(ReadTail(next_path, 100), "again\n");
  EXPECT_EQ(ReadTail(next_path, 3), "in\n");
}

TEST(OpenLog, NamesThePathThatCannotBeOpened) {
  try {
    OpenLog("/nonexistent/folder/x.log");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_STREQ(error.what(), "open of log /nonexistent/folder/x.log: No such file or directory");
  }
}

}  // namespace
}  // namespace ponder
