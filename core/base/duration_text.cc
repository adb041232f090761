#include "core/base/duration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ponder {

std::string FormatDuration(double seconds) {
  const auto total = std::llround(std::max(0.0, seconds));
  if (total >= 3600) {
    return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  }
  return fmt::format("{}:{:02}", total / 60, total % 60);
}

}  // namespace ponder
