// The newest values of a run for Prometheus to scrape.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/base/metrics.h"

namespace ponder {

// "reward/mean" -> "ponder_reward_mean": every character outside [a-zA-Z0-9_] becomes '_'.
std::string PrometheusName(const std::string& metric);

// Serves http://127.0.0.1:PORT/metrics from a thread of its own while it lives. Every metric is a
// gauge with the labels run and stage, and set for evaluations; ponder_step is the step of the
// newest values. Thread safe.
class PrometheusEndpoint {
 public:
  // Throws Error(kIo) when the port is taken. `port`: 1 to 65535.
  PrometheusEndpoint(int port, std::string run_name);
  ~PrometheusEndpoint();

  // `set`: the evaluation's name, empty for a step.
  void Show(int64_t step, const std::string& stage, const std::string& set,
            const MetricRecord& record);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ponder
