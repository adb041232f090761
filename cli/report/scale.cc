#include "cli/report/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ponder::report {
namespace {

// How many multiples of `step` lie in [low, high], within rounding.
int64_t FirstMultiple(double low, double step) {
  return static_cast<int64_t>(std::ceil(low / step - 1e-6));
}
int64_t LastMultiple(double high, double step) {
  return static_cast<int64_t>(std::floor(high / step + 1e-6));
}

// The smallest of 1, 2, 5 times a power of ten that `fits`, beginning well below `width` > 0.
template <typename Fits>
double SmallestStep(double width, const Fits& fits) {
  double power = std::pow(10.0, std::floor(std::log10(width)) - 2);
  while (true) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (fits(factor * power)) return factor * power;
    }
    power *= 10;
  }
}

// Typographic minus, which is as wide as a plus.
std::string WithMinus(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, "\u2212");
  return text;
}

std::string Scientific(double value) {
  const int exponent = static_cast<int>(std::floor(std::log10(std::fabs(value)) + 1e-9));
  const double mantissa = value / std::pow(10.0, exponent);
  return fmt::format("{:.3g}e{}", mantissa, exponent);
}

// All labels of an axis have the digits that its step needs.
std::string TickLabel(double value, double step) {
  constexpr double kThousands = 10000;
  constexpr double kTiny = 1e-4;
  if (std::fabs(value) < step * 1e-6) return "0";
  if (step < kTiny) return WithMinus(Scientific(value));
  if (std::fabs(value) >= kThousands) return ShortNumber(value);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return WithMinus(fmt::format("{:.{}f}", value, decimals));
}

}  // namespace

double Scale::operator()(double value) const {
  const double from = log ? std::log10(low) : low;
  const double to = log ? std::log10(high) : high;
  const double at = log ? std::log10(value) : value;
  if (to == from) return (begin + end) / 2;
  return begin + (end - begin) * (at - from) / (to - from);
}

std::vector<Tick> LinearTicks(double low, double high, int max_count) {
  if (!(high > low)) return {{low, ShortNumber(low)}};
  const double step = SmallestStep(high - low, [&](double candidate) {
    return LastMultiple(high, candidate) - FirstMultiple(low, candidate) < max_count;
  });
  std::vector<Tick> ticks;
  for (int64_t i = FirstMultiple(low, step); i <= LastMultiple(high, step); ++i) {
    const double value = static_cast<double>(i) * step;
    ticks.push_back({value, TickLabel(value, step)});
  }
  return ticks;
}

std::vector<Tick> LogTicks(double low, double high, int max_count) {
  const auto first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const auto last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  const int stride = std::max(1, (last - first + max_count) / max_count);
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; exponent += stride) {
    const double value = std::pow(10.0, exponent);
    ticks.push_back({value, value >= 1e-2 && value < 1e4 ? fmt::format("{:g}", value)
                                                         : fmt::format("1e{}", exponent)});
  }
  return ticks;
}

Domain RoundDomain(double low, double high, int max_count) {
  if (!(high > low)) {
    const double margin = low == 0 ? 1 : std::fabs(low) * 0.1;
    return RoundDomain(low - margin, high + margin, max_count);
  }
  const double step = SmallestStep(high - low, [&](double candidate) {
    return FirstMultiple(high, candidate) - LastMultiple(low, candidate) < max_count;
  });
  return {static_cast<double>(LastMultiple(low, step)) * step,
          static_cast<double>(FirstMultiple(high, step)) * step};
}

Domain RoundLogDomain(double low, double high) {
  const double from = std::floor(std::log10(low) + 1e-9);
  const double to = std::max(from + 1, std::ceil(std::log10(high) - 1e-9));
  return {std::pow(10.0, from), std::pow(10.0, to)};
}

std::string ShortNumber(double value) {
  const double magnitude = std::fabs(value);
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";
  constexpr double kTiny = 1e-3;
  if (magnitude < kTiny) return WithMinus(Scientific(value));
  constexpr double kThousands = 10000;
  if (magnitude < kThousands) return WithMinus(fmt::format("{:.4g}", value));
  if (magnitude < 1e6) return WithMinus(fmt::format("{:.4g}k", value / 1e3));
  if (magnitude < 1e9) return WithMinus(fmt::format("{:.4g}M", value / 1e6));
  if (magnitude < 1e15) return WithMinus(fmt::format("{:.4g}G", value / 1e9));
  return WithMinus(Scientific(value));
}

}  // namespace ponder::report
