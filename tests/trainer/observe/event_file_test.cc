#include "trainer/observe/event_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "ponder/tensorboard/event.pb.h"

namespace ponder {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr size_t kCrcBytes = 4;

std::string Hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// The events of the only file in `folder`.
std::vector<tensorboard::Event> EventsIn(FileSystem& files, const std::string& folder) {
  std::vector<tensorboard::Event> events;
  EXPECT_EQ(files.List(folder).size(), 1u);
  const std::string bytes = files.ReadFile(folder + "/" + files.List(folder).front(), 1u << 20);
  size_t at = 0;
  while (at < bytes.size()) {
    const auto size =
        static_cast<unsigned char>(bytes[at]) + 256u * static_cast<unsigned char>(bytes[at + 1]);
    const std::string data = bytes.substr(at + kLengthBytes + kCrcBytes, size);
    EXPECT_EQ(bytes.substr(at, FrameEvent(data).size()), FrameEvent(data));
    events.emplace_back();
    EXPECT_TRUE(events.back().ParseFromString(data));
    at += FrameEvent(data).size();
  }
  return events;
}

// Written by the RecordWriter of TensorBoard 2.21.
TEST(FrameEventTest, HasTheBytesOfAnotherImplementation) {
  EXPECT_EQ(Hex(FrameEvent("hello")), "0500000000000000eab2043e68656c6c6fbb1f1c19");
}

TEST(EventFileTest, BeginsWithItsVersionAndTheStepItStartsAt) {
  CrashFileSystem files;
  const EventFile events(files, "runs/a/tensorboard", 40);
  const std::vector<tensorboard::Event> written = EventsIn(files, "runs/a/tensorboard");
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].file_version(), "brain.Event:2");
  EXPECT_EQ(written[1].session_log().status(), tensorboard::SessionLog::START);
  EXPECT_EQ(written[1].step(), 40);
  EXPECT_TRUE(files.List("runs/a/tensorboard").front().starts_with("events.out.tfevents."));
}

TEST(EventFileTest, NamesCurvesByMetricAndSetAndLeavesOutWhatIsNotFinite) {
  CrashFileSystem files;
  EventFile events(files, "t", 0);
  MetricRecord step(MetricFile::kMetrics);
  step.Set("actor/loss", std::nan(""));
  step.Set("reward/mean", 0.25);
  events.Write(7, "", step);
  MetricRecord evaluation(MetricFile::kMetrics);
  evaluation.Set("val/sampled", 0.5);
  events.Write(8, "heldout", evaluation);
  const std::vector<tensorboard::Event> written = EventsIn(files, "t");
  ASSERT_EQ(written.size(), 4u);
  ASSERT_EQ(written[2].summary().value_size(), 1);
  EXPECT_EQ(written[2].step(), 7);
  EXPECT_EQ(written[2].summary().value(0).tag(), "reward/mean");
  EXPECT_EQ(written[2].summary().value(0).simple_value(), 0.25F);
  EXPECT_EQ(written[3].summary().value(0).tag(), "val/sampled/heldout");
}

TEST(EventFileTest, AValueOfZeroIsThere) {
  CrashFileSystem files;
  EventFile events(files, "t", 0);
  MetricRecord step(MetricFile::kMetrics);
  step.Set("actor/approx_kl", 0.0);
  events.Write(1, "", step);
  EXPECT_TRUE(EventsIn(files, "t").at(2).summary().value(0).has_simple_value());
}

TEST(EventFileTest, AFullDiskIsAnErrorOfTheFile) {
  CrashFileSystem files;
  EventFile events(files, "t", 0);
  MetricRecord step(MetricFile::kMetrics);
  step.Set("reward/mean", 0.25);
  files.FailNth(0, /*and_all_after=*/true);
  EXPECT_THROW(events.Write(1, "", step), Error);
}

}  // namespace
}  // namespace ponder
