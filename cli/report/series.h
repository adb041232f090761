// Values over steps, and what is left of them on a page that is narrower than the series is long.
#pragma once

#include <cstddef>
#include <vector>

namespace ponder::report {

// One value per step, steps increasing. NaN stands for a value that was not finite.
struct Series {
  std::vector<double> step;
  std::vector<double> value;
  size_t size() const { return step.size(); }
  bool empty() const { return step.empty(); }
};

// The values of one pixel column.
struct Column {
  double step = 0;  // mean step of its values
  double low = 0;
  double mean = 0;
  double high = 0;
};

// Cuts [first_step, last_step] into `num_columns` columns of equal width and keeps the extremes and
// the mean of each, so that no peak is lost. A series with no more values than columns stays as it
// is, one value a column. Values that are not finite are left out; a column without any other
// becomes one of NaN, which interrupts a line.
std::vector<Column> Envelope(const Series& series, double first_step, double last_step,
                             size_t num_columns);

// At most `count` indices of [0, size), evenly spread, with the first and the last.
std::vector<size_t> SpreadIndices(size_t size, size_t count);

}  // namespace ponder::report
