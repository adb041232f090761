// The one table of metrics, and the two files they go to.
//
// metrics.jsonl holds what is a function of the experiment alone: a resumed run reproduces it byte
// for byte. timing.jsonl holds what the clock says. Both have one JSON object per line with sorted
// keys.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"

namespace ponder {

enum class MetricFile { kMetrics, kTiming };

struct MetricRow {
  std::string_view name;     // "reward/mean"; a name that ends in '*' stands for a family
  std::string_view unit;     // "nats", "tokens", "s", "1" ...
  std::string_view meaning;  // one sentence
  MetricFile file;
};

// Every metric that exists; the documentation is made from it.
std::span<const MetricRow> MetricTable();

// What the table says of a metric; empty for a name that is not in it.
std::string MeaningOf(std::string_view name);

// docs/metrics.md, made from the table.
std::string MetricReferenceMarkdown();

// One line of a metrics file. Values are doubles; non-finite ones are written as null. A metric may
// also be a list of counts. Setting a name that is not in the table of that file throws
// Error(kInternal).
class MetricRecord {
 public:
  explicit MetricRecord(MetricFile file) : file_(file) {}
  void Set(std::string_view name, double value);
  // A histogram: how many fell into each bin.
  void SetCounts(std::string_view name, std::vector<uint64_t> counts);
  // Labels of the line: "kind" ("step", "evaluation"), "stage", "set", and the numbers "step",
  // "version".
  void SetLabel(std::string_view key, std::string_view text);
  void SetLabel(std::string_view key, uint64_t number);
  // The JSON object, keys sorted: labels first, then metrics; shortest form that reads back
  // exactly.
  std::string ToJson() const;
  // The scalar metrics.
  const std::map<std::string, double, std::less<>>& values() const { return values_; }

 private:
  void CheckDeclared(std::string_view name) const;

  MetricFile file_;
  std::map<std::string, std::string, std::less<>> labels_;
  std::map<std::string, double, std::less<>> values_;
  std::map<std::string, std::vector<uint64_t>, std::less<>> counts_;
};

// Appends records to a .jsonl file, one Append per line. Not thread safe.
class MetricsWriter {
 public:
  // Opens for append and first cuts the file to `keep_bytes` when it is longer (resume: the size at
  // the checkpoint). A torn last line of a crash beyond keep_bytes is thus dropped.
  MetricsWriter(FileSystem& files, std::string path, uint64_t keep_bytes);
  void Write(const MetricRecord& record);
  // Sync to disk; returns the size in bytes, which the checkpoint stores.
  uint64_t Sync();

 private:
  FileSystem& files_;
  std::string path_;
  std::unique_ptr<WritableFile> file_;
  uint64_t size_ = 0;
};

}  // namespace ponder
