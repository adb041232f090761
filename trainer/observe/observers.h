// Whoever watches a run beside its own files: TensorBoard and Prometheus, as the experiment asks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/config/experiment.h"
#include "trainer/observe/event_file.h"
#include "trainer/observe/prometheus_endpoint.h"

namespace ponder {

// Called from rank 0's main thread. `files` and `log` are borrowed.
class Observers {
 public:
  // `first_step`: the run's step from which on earlier event files no longer count. Throws
  // Error(kIo) when the port for Prometheus is taken.
  Observers(FileSystem& files, const ExperimentConfig& config, int64_t first_step, const Log& log);

  // One line of metrics.jsonl or timing.jsonl. `set`: the evaluation's name, empty for a step. A
  // full disk ends the event file with a warning, not the run: it can be made again from
  // metrics.jsonl.
  void Show(int64_t step, const std::string& stage, const std::string& set,
            const MetricRecord& record);

 private:
  const Log& log_;
  std::unique_ptr<EventFile> events_;             // null: not asked for, or given up
  std::unique_ptr<PrometheusEndpoint> endpoint_;  // null: not asked for
};

}  // namespace ponder
