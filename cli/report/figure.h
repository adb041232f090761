// What a page is made of, before it is HTML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/report/svg.h"

namespace ponder::report {

struct DataTable {
  std::vector<std::string> headers;            // may be empty
  std::vector<std::vector<std::string>> rows;  // as long as the headers
  bool empty() const { return rows.empty(); }
};

struct Figure {
  Drawing drawing;
  std::optional<Drawing> narrow;  // takes its place where the page is narrow
  std::string caption;
  DataTable data;  // some of the values, for those who cannot see the drawing
};

struct ReportSection {
  std::string title;
  std::string text;
  std::vector<Figure> figures;
};

}  // namespace ponder::report
