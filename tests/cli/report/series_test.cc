#include "cli/report/series.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ponder::report {
namespace {

using ::testing::ElementsAre;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Series SeriesOf(const std::vector<double>& values) {
  Series series;
  for (const double value : values) {
    series.step.push_back(static_cast<double>(series.size() + 1));
    series.value.push_back(value);
  }
  return series;
}

TEST(EnvelopeTest, KeepsAShortSeriesAsItIs) {
  const std::vector<Column> columns = Envelope(SeriesOf({3, 1, 2}), 1, 3, /*num_columns=*/3);
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[1].step, 2);
  EXPECT_EQ(columns[1].low, 1);
  EXPECT_EQ(columns[1].mean, 1);
  EXPECT_EQ(columns[1].high, 1);
}

TEST(EnvelopeTest, KeepsExtremesAndMeanOfEachColumn) {
  const std::vector<Column> columns =
      Envelope(SeriesOf({1, 5, 3, 2, 2, 8}), 1, 6, /*num_columns=*/2);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].step, 2);
  EXPECT_EQ(columns[0].low, 1);
  EXPECT_EQ(columns[0].mean, 3);
  EXPECT_EQ(columns[0].high, 5);
  EXPECT_EQ(columns[1].mean, 4);
  EXPECT_EQ(columns[1].high, 8);
}

TEST(EnvelopeTest, LeavesOutWhatIsNotFiniteAndShowsAGapWhereNothingIsLeft) {
  const std::vector<Column> columns =
      Envelope(SeriesOf({1, kNan, kNan, kNan, 4, 6}), 1, 6, /*num_columns=*/3);
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[0].mean, 1);
  EXPECT_TRUE(std::isnan(columns[1].mean));
  EXPECT_EQ(columns[2].mean, 5);
}

RC_GTEST_PROP(EnvelopeTest, LosesNoPeakAndNoArea,
              (const std::vector<int>& values, uint8_t columns_wanted)) {
  RC_PRE(!values.empty());
  const std::vector<double> doubles(values.begin(), values.end());
  const size_t num_columns = 1 + columns_wanted % 50;
  const Series series = SeriesOf(doubles);
  const auto columns = Envelope(series, 1, static_cast<double>(doubles.size()), num_columns);
  RC_ASSERT(columns.size() <= num_columns);
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const Column& column : columns) {
    low = std::min(low, column.low);
    high = std::max(high, column.high);
    RC_ASSERT(column.low <= column.mean + 1e-6 && column.mean <= column.high + 1e-6);
  }
  const auto [least, largest] = std::minmax_element(doubles.begin(), doubles.end());
  RC_ASSERT(low == *least && high == *largest);
}

TEST(SpreadIndicesTest, KeepsBothEnds) {
  EXPECT_THAT(SpreadIndices(3, 5), ElementsAre(0, 1, 2));
  EXPECT_THAT(SpreadIndices(101, 5), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(SpreadIndices(7, 1), ElementsAre(6));
  EXPECT_THAT(SpreadIndices(0, 5), ElementsAre());
}

}  // namespace
}  // namespace ponder::report
