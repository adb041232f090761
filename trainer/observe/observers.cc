#include "trainer/observe/observers.h"

#include "core/base/error.h"

namespace ponder {

Observers::Observers(FileSystem& files, const ExperimentConfig& config, int64_t first_step,
                     const Log& log)
    : log_(log) {
  if (config.metrics.tensorboard) {
    events_ =
        std::make_unique<EventFile>(files, config.RunDirectory() + "/tensorboard", first_step);
  }
  if (config.metrics.prometheus_port > 0) {
    endpoint_ = std::make_unique<PrometheusEndpoint>(
        static_cast<int>(config.metrics.prometheus_port), config.run.name);
    log_.Info("metrics for Prometheus: http://127.0.0.1:" +
              std::to_string(config.metrics.prometheus_port) + "/metrics");
  }
}

void Observers::Show(int64_t step, const std::string& stage, const std::string& set,
                     const MetricRecord& record) {
  if (endpoint_ != nullptr) endpoint_->Show(step, stage, set, record);
  if (events_ == nullptr) return;
  try {
    events_->Write(step, set, record);
  } catch (const Error& error) {
    log_.Warning("no more TensorBoard events are written: " + std::string(error.what()));
    events_.reset();
  }
}

}  // namespace ponder
