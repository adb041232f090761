#include "trainer/optim/schedule.h"

#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace ponder {

Schedule::Shape Schedule::ParseShape(const std::string& name) {
  if (name == "constant") return Shape::kConstant;
  if (name == "linear") return Shape::kLinear;
  if (name == "cosine") return Shape::kCosine;
  throw ConfigError("making a schedule: expected name constant, linear or cosine, got '" + name +
                    "'");
}

Schedule::Schedule(const ScheduleConfig& config, double base_learning_rate)
    : shape_(ParseShape(config.name)),
      warmup_steps_(config.warmup_steps),
      decay_steps_(config.decay_steps),
      final_ratio_(config.final_ratio),
      base_(base_learning_rate) {
  if (warmup_steps_ < 0 || decay_steps_ < 0) {
    throw ConfigError(
        "making a schedule: expected warmup_steps and decay_steps of at least 0, got " +
        std::to_string(warmup_steps_) + " and " + std::to_string(decay_steps_));
  }
  if (shape_ != Shape::kConstant && decay_steps_ <= warmup_steps_) {
    throw ConfigError("making a schedule '" + config.name +
                      "': expected decay_steps above warmup_steps (" +
                      std::to_string(warmup_steps_) + "), got " + std::to_string(decay_steps_) +
                      " (decay_steps counts from the begin of the stage)");
  }
}

double Schedule::LearningRate(int64_t step) const {
  if (step < warmup_steps_) {
    return base_ * static_cast<double>(step + 1) / static_cast<double>(warmup_steps_);
  }
  if (shape_ == Shape::kConstant) return base_;
  if (step >= decay_steps_) return base_ * final_ratio_;
  const double progress =
      static_cast<double>(step - warmup_steps_) / static_cast<double>(decay_steps_ - warmup_steps_);
  const double remaining = shape_ == Shape::kLinear
                               ? 1.0 - progress
                               : 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return base_ * (final_ratio_ + (1.0 - final_ratio_) * remaining);
}

}  // namespace ponder
