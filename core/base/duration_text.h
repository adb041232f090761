// Time spans for people.
#pragma once

#include <string>

namespace ponder {

// "1:02:03" or "0:07". Negative spans count as 0.
std::string FormatDuration(double seconds);

}  // namespace ponder
