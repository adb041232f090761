#include "cli/report/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ponder::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Adds up one column.
class ColumnSum {
 public:
  void Add(double step, double value) {
    steps_ += step;
    ++num_steps_;
    if (!std::isfinite(value)) return;
    low_ = num_values_ == 0 ? value : std::min(low_, value);
    high_ = num_values_ == 0 ? value : std::max(high_, value);
    values_ += value;
    ++num_values_;
  }
  bool empty() const { return num_steps_ == 0; }
  Column Take() {
    const double step = steps_ / static_cast<double>(num_steps_);
    const Column column =
        num_values_ == 0 ? Column{step, kNan, kNan, kNan}
                         : Column{step, low_, values_ / static_cast<double>(num_values_), high_};
    *this = ColumnSum();
    return column;
  }

 private:
  double steps_ = 0;
  double values_ = 0;
  double low_ = 0;
  double high_ = 0;
  size_t num_steps_ = 0;
  size_t num_values_ = 0;
};

}  // namespace

std::vector<Column> Envelope(const Series& series, double first_step, double last_step,
                             size_t num_columns) {
  std::vector<Column> columns;
  const bool keep_all = series.size() <= num_columns;
  const double width = std::max(1.0, last_step - first_step + 1) /
                       static_cast<double>(std::max<size_t>(1, num_columns));
  ColumnSum sum;
  double current = -1;
  for (size_t i = 0; i < series.size(); ++i) {
    const double index = std::floor((series.step[i] - first_step) / width);
    if (!sum.empty() && (keep_all || index != current)) columns.push_back(sum.Take());
    current = index;
    sum.Add(series.step[i], series.value[i]);
  }
  if (!sum.empty()) columns.push_back(sum.Take());
  return columns;
}

std::vector<size_t> SpreadIndices(size_t size, size_t count) {
  std::vector<size_t> indices;
  const size_t kept = std::min(size, count);
  for (size_t i = 0; i < kept; ++i) {
    indices.push_back(kept == 1 ? size - 1 : i * (size - 1) / (kept - 1));
  }
  return indices;
}

}  // namespace ponder::report
