// What a page may do.
#pragma once

#include <string>
#include <string_view>

namespace ponder::report {

// A Content-Security-Policy (W3C CSP Level 3) under which a page loads nothing at all, and of its
// inline style sheets and scripts exactly these two are used: whatever a prompt or a run's name
// smuggled in would neither run nor style.
std::string ContentSecurityPolicy(std::string_view style, std::string_view script);

}  // namespace ponder::report
