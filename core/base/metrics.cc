#include "core/base/metrics.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/metric_table.h"

namespace ponder {
namespace {

// Shortest text that reads back exactly; JSON has no NaN or infinity.
std::string NumberText(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == 0 && std::signbit(value)) return "-0.0";  // "-0" would be read as an integer
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  char buffer[32];
  std::to_chars_result result{};
  if (value == std::floor(value) && std::fabs(value) < kExactIntegers) {
    result = std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(value));
  } else {
    result = std::to_chars(buffer, buffer + sizeof buffer, value);
  }
  return {buffer, result.ptr};
}

std::string CountsText(const std::vector<uint64_t>& counts) {
  std::string text;
  for (const uint64_t count : counts) text += (text.empty() ? "" : ", ") + std::to_string(count);
  return "[" + text + "]";
}

std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

// The row of a metric, or of its family; null when there is none.
const MetricRow* RowOfMetric(std::string_view name) {
  for (const MetricRow& row : MetricTable()) {
    if (row.name == name) return &row;
    if (row.name.ends_with('*') && name.starts_with(row.name.substr(0, row.name.size() - 1))) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace

std::span<const MetricRow> MetricTable() { return kMetricTable; }

std::string MeaningOf(std::string_view name) {
  const MetricRow* row = RowOfMetric(name);
  return row == nullptr ? std::string() : std::string(row->meaning);
}

std::string MetricReferenceMarkdown() {
  std::string text =
      "# Metrics\n\nOne line per step or evaluation. `metrics.jsonl` is a function of the "
      "experiment "
      "alone; `timing.jsonl` says what the clock says.\n\n| name | unit | file | meaning |\n"
      "|---|---|---|---|\n";
  for (const MetricRow& row : MetricTable()) {
    text += "| `" + std::string(row.name) + "` | " + std::string(row.unit) + " | " +
            (row.file == MetricFile::kMetrics ? "metrics" : "timing") + " | " +
            std::string(row.meaning) + " |\n";
  }
  return text;
}

void MetricRecord::CheckDeclared(std::string_view name) const {
  const MetricRow* row = RowOfMetric(name);
  PONDER_CHECK(row != nullptr && row->file == file_)
      << "metric '" << name << "' is not in the table of its file: declare it in metric_table.h";
}

void MetricRecord::Set(std::string_view name, double value) {
  CheckDeclared(name);
  values_[std::string(name)] = value;
}

void MetricRecord::SetCounts(std::string_view name, std::vector<uint64_t> counts) {
  CheckDeclared(name);
  counts_[std::string(name)] = std::move(counts);
}

void MetricRecord::SetLabel(std::string_view key, std::string_view text) {
  labels_[std::string(key)] = Quoted(text);
}

void MetricRecord::SetLabel(std::string_view key, uint64_t number) {
  labels_[std::string(key)] = std::to_string(number);
}

std::string MetricRecord::ToJson() const {
  std::string text = "{";
  const auto add = [&text](const std::string& key, const std::string& value) {
    if (text.size() > 1) text += ", ";
    text += Quoted(key) + ": " + value;
  };
  std::map<std::string_view, std::string> metrics;
  for (const auto& [key, value] : values_) metrics[key] = NumberText(value);
  for (const auto& [key, counts] : counts_) metrics[key] = CountsText(counts);
  for (const auto& [key, value] : labels_) add(key, value);
  for (const auto& [key, value] : metrics) add(std::string(key), value);
  return text + "}";
}

MetricsWriter::MetricsWriter(FileSystem& files, std::string path, uint64_t keep_bytes)
    : files_(files), path_(std::move(path)) {
  if (files_.Exists(path_)) {
    const uint64_t size = files_.FileSize(path_);
    if (size < keep_bytes) {
      throw Error(Condition::kBadData,
                  "opening " + path_ + ": expected at least the " + std::to_string(keep_bytes) +
                      " bytes that the checkpoint recorded, got " + std::to_string(size));
    }
    if (size > keep_bytes) files_.Truncate(path_, keep_bytes);
  } else if (keep_bytes > 0) {
    throw Error(Condition::kBadData, "opening " + path_ +
                                         ": it is missing, but the checkpoint recorded " +
                                         std::to_string(keep_bytes) + " bytes of it");
  }
  size_ = keep_bytes;
  file_ = files_.OpenForAppend(path_);
}

void MetricsWriter::Write(const MetricRecord& record) {
  const std::string line = record.ToJson() + "\n";
  file_->Append(line);
  size_ += line.size();
}

uint64_t MetricsWriter::Sync() {
  file_->Sync();
  return size_;
}

}  // namespace ponder
