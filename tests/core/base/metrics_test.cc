#include "core/base/metrics.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMaxBytes = 1 << 20;

TEST(MetricTable, DeclaresEachNameOnceWithUnitAndMeaning) {
  std::set<std::string_view> names;
  for (const MetricRow& row : MetricTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands twice";
    EXPECT_NE(row.name.find('/'), std::string_view::npos) << row.name << ": expected area/name";
    EXPECT_FALSE(row.unit.empty()) << row.name;
    EXPECT_FALSE(row.meaning.empty()) << row.name;
  }
}

TEST(MetricTable, KeepsWhatTheClockSaysOutOfTheDeterministicFile) {
  for (const MetricRow& row : MetricTable()) {
    const bool is_clock = row.name.starts_with("timing/") || row.name.starts_with("perf/");
    EXPECT_EQ(row.file == MetricFile::kTiming, is_clock) << row.name;
  }
}

TEST(MetricTable, IsWhatTheDocumentationShows) {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "PONDER_SOURCE_DIR is not set";
  const std::string path = std::string(source) + "/docs/metrics.md";
  EXPECT_EQ(MakeRealFileSystem()->ReadFile(path, kMaxBytes), MetricReferenceMarkdown())
      << path
      << " is made from core/base/metric_table.h; bring it up to date as the lines above say";
}

TEST(MetricRecord, WritesLabelsThenMetricsSortedByName) {
  MetricRecord record(MetricFile::kMetrics);
  record.Set("reward/std", 0.25);
  record.Set("actor/loss", -0.1);
  record.SetLabel("step", 20);
  record.SetLabel("kind", "step");
  record.SetLabel("stage", "say \"why\"\n");
  EXPECT_EQ(record.ToJson(), R"({"kind": "step", "stage": "say \"why\"\n", "step": 20, )"
                             R"("actor/loss": -0.1, "reward/std": 0.25})");
}

TEST(MetricRecord, WritesTheShortestNumberThatReadsBackExactly) {
  const std::pair<double, const char*> kCases[] = {
      {0.1, "0.1"},
      {1.0 / 3.0, "0.3333333333333333"},
      {100000, "100000"},
      {-7, "-7"},
      {9007199254740991, "9007199254740991"},
      {1e300, "1e+300"},
      {5e-324, "5e-324"},
      {0.0, "0"},
      {-0.0, "-0.0"},
      {std::numeric_limits<double>::quiet_NaN(), "null"},
      {std::numeric_limits<double>::infinity(), "null"},
      {-std::numeric_limits<double>::infinity(), "null"},
  };
  for (const auto& [value, text] : kCases) {
    MetricRecord record(MetricFile::kMetrics);
    record.Set("actor/loss", value);
    EXPECT_EQ(record.ToJson(), std::string("{\"actor/loss\": ") + text + "}");
  }
}

RC_GTEST_PROP(MetricRecord, ReadsBackBitForBit, (uint64_t bits)) {
  const auto value = std::bit_cast<double>(bits);
  RC_PRE(std::isfinite(value));
  MetricRecord record(MetricFile::kMetrics);
  record.Set("actor/loss", value);
  const nlohmann::json line = ParseJsonStrict(record.ToJson(), "line", kMaxBytes);
  RC_ASSERT(std::bit_cast<uint64_t>(line.at("actor/loss").get<double>()) == bits);
}

TEST(MetricRecord, StaysValidJsonWhateverALabelHolds) {
  MetricRecord record(MetricFile::kMetrics);
  record.SetLabel("stage", "not UTF-8: \xff");
  EXPECT_NO_THROW(ParseJsonStrict(record.ToJson(), "line", kMaxBytes));
}

TEST(MetricRecord, RefusesNamesThatTheTableOfItsFileLacks) {
  MetricRecord metrics(MetricFile::kMetrics);
  MetricRecord timing(MetricFile::kTiming);
  EXPECT_THROW(metrics.Set("actor/los", 1), Error);
  EXPECT_THROW(metrics.Set("timing/step_s", 1), Error);
  EXPECT_THROW(timing.Set("actor/loss", 1), Error);
  EXPECT_NO_THROW(timing.Set("timing/step_s", 1));
}

TEST(MetricRecord, TakesEveryMemberOfAFamily) {
  MetricRecord record(MetricFile::kMetrics);
  record.Set("reward/source/answer", 0.5);
  record.Set("reward/source/format", 1);
  EXPECT_EQ(record.values().size(), 2u);
}

TEST(MetricRecord, WritesCountsAsAListInTheirPlaceAmongTheMetrics) {
  MetricRecord record(MetricFile::kMetrics);
  record.SetCounts("response_length/histogram", {0, 12, 3});
  record.Set("response_length/clip_ratio", 0.5);
  record.Set("response_length/max", 6);
  EXPECT_EQ(record.ToJson(),
            R"({"response_length/clip_ratio": 0.5, )"
            R"("response_length/histogram": [0, 12, 3], "response_length/max": 6})");
  EXPECT_THROW(record.SetCounts("response_length/histgram", {1}), Error);
}

class MetricsWriterTest : public ::testing::Test {
 protected:
  MetricsWriterTest() : files_(MakeRealFileSystem()) {
    char folder[] = "/tmp/ponder_metrics_XXXXXX";
    folder_ = mkdtemp(folder);
    path_ = folder_ + "/metrics.jsonl";
  }
  ~MetricsWriterTest() override { std::filesystem::remove_all(folder_); }

  // Writes the line {"step": step} and returns the size that a checkpoint would store.
  static uint64_t WriteStep(MetricsWriter& writer, uint64_t step) {
    MetricRecord record(MetricFile::kMetrics);
    record.SetLabel("step", step);
    writer.Write(record);
    return writer.Sync();
  }

  std::string Contents() { return files_->ReadFile(path_, kMaxBytes); }

  std::unique_ptr<FileSystem> files_;
  std::string folder_;
  std::string path_;
};

TEST_F(MetricsWriterTest, WritesOneObjectPerLineAndReportsTheSize) {
  MetricsWriter writer(*files_, path_, /*keep_bytes=*/0);
  WriteStep(writer, 1);
  const uint64_t size = WriteStep(writer, 2);
  EXPECT_EQ(Contents(), "{\"step\": 1}\n{\"step\": 2}\n");
  EXPECT_EQ(size, Contents().size());
}

TEST_F(MetricsWriterTest, DropsWhatCameAfterTheCheckpointATornLineIncluded) {
  uint64_t kept = 0;
  {
    MetricsWriter writer(*files_, path_, /*keep_bytes=*/0);
    kept = WriteStep(writer, 1);
    WriteStep(writer, 2);
  }
  files_->OpenForAppend(path_)->Append("{\"st");
  MetricsWriter writer(*files_, path_, kept);
  const uint64_t size = WriteStep(writer, 2);
  EXPECT_EQ(size, Contents().size());
  EXPECT_EQ(Contents(), "{\"step\": 1}\n{\"step\": 2}\n");
}

TEST_F(MetricsWriterTest, RefusesAFileThatLostLinesOfTheCheckpoint) {
  { MetricsWriter(*files_, path_, /*keep_bytes=*/0); }
  try {
    MetricsWriter(*files_, path_, /*keep_bytes=*/12);
    FAIL() << "a short file was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("expected at least the 12 bytes"));
  }
  files_->RemoveFile(path_);
  EXPECT_THROW(MetricsWriter(*files_, path_, /*keep_bytes=*/12), Error);
}

}  // namespace
}  // namespace ponder
