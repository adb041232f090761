#include "trainer/best_checkpoint.h"

#include <cmath>

namespace ponder {

std::string MeasureOf(const BestConfig& config) {
  return config.evaluation + " " + config.metric + " " + config.mode;
}

std::optional<double> BetterValue(const BestConfig& config, const std::string& evaluation,
                                  const std::map<std::string, double>& metrics,
                                  const std::optional<BestCheckpoint>& best) {
  if (config.evaluation.empty() || config.evaluation != evaluation) return std::nullopt;
  const auto found = metrics.find(config.metric);
  if (found == metrics.end() || metrics.at("val/prompts") == 0 || !std::isfinite(found->second)) {
    return std::nullopt;
  }
  if (!best || best->measure != MeasureOf(config)) return found->second;
  const bool better =
      config.mode == "max" ? found->second > best->value : found->second < best->value;
  return better ? std::optional(found->second) : std::nullopt;
}

}  // namespace ponder
