#include "trainer/observe/prometheus_endpoint.h"

#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cctype>
#include <utility>

#include "core/base/error.h"

namespace ponder {

std::string PrometheusName(const std::string& metric) {
  std::string name = "ponder_";
  for (const char c : metric) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

struct PrometheusEndpoint::Impl {
  // One thread answers: a scrape is short, and there is one scraper.
  Impl(int port, std::string name)
      : run_name(std::move(name)), exposer("127.0.0.1:" + std::to_string(port), 1) {
    exposer.RegisterCollectable(registry);
  }

  void Set(const std::string& name, const std::string& help,
           const std::map<std::string, std::string>& labels, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(*registry).Add(labels).Set(value);
  }

  const std::string run_name;
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  prometheus::Exposer exposer;
};

PrometheusEndpoint::PrometheusEndpoint(int port, std::string run_name) {
  try {
    impl_ = std::make_unique<Impl>(port, std::move(run_name));
  } catch (const std::exception& error) {
    throw Error(Condition::kIo, "serving metrics on 127.0.0.1:" + std::to_string(port) +
                                    ": expected a free port, got: " + error.what() +
                                    " (choose another metrics.prometheus_port, or 0 for none)");
  }
}

PrometheusEndpoint::~PrometheusEndpoint() = default;

void PrometheusEndpoint::Show(int64_t step, const std::string& stage, const std::string& set,
                              const MetricRecord& record) {
  std::map<std::string, std::string> labels{{"run", impl_->run_name}, {"stage", stage}};
  impl_->Set("ponder_step", "step of the newest values", {{"run", impl_->run_name}},
             static_cast<double>(step));
  if (!set.empty()) labels["set"] = set;
  for (const auto& [name, value] : record.values()) {
    impl_->Set(PrometheusName(name), MeaningOf(name), labels, value);
  }
}

}  // namespace ponder
