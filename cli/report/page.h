// The page: one HTML file that loads nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/report/figure.h"
#include "cli/report/run_data.h"

namespace ponder::report {

// All of it, with the figures inline. Everything that comes from the runs is escaped; the page's
// policy allows no resource and no script but its own.
std::string RenderPage(const std::vector<RunData>& runs,
                       const std::vector<ReportSection>& sections);

// Style sheet of the page, without that of the figures.
std::string_view PageStyle();
// Shows values under the pointer; the page says everything without it, too.
std::string_view PageScript();

}  // namespace ponder::report
