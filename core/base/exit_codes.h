// What the exit codes of the programs mean to whoever started them. The table in error.cc says
// which condition ends with which.
#pragma once

#include <span>
#include <string_view>

namespace ponder {

struct ExitCodeRow {
  int code;
  std::string_view meaning;
  std::string_view advice;  // what to do
};

// Every exit code that a program of Ponder ends with by itself, ascending. Thread safe.
std::span<const ExitCodeRow> ExitCodes();

}  // namespace ponder
