// What the report calls a metric.
#pragma once

#include <string>

namespace ponder::report {

// "Gradient norm" for "actor/grad_norm"; a name that the table of metrics does not have is its own
// title.
std::string TitleOf(const std::string& metric);

}  // namespace ponder::report
