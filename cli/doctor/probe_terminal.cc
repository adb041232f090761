#include <langinfo.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <string_view>

#include "cli/doctor/probes.h"

namespace ponder {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

FindingSection ProbeTerminal() {
  std::setlocale(LC_CTYPE, "");
  const std::string code_set = nl_langinfo(CODESET);
  Finding locale{.name = "locale", .text = code_set};
  if (code_set != "UTF-8") {
    locale.state = FindingState::kWarning;
    locale.advice = "names beyond ASCII may look odd: export LANG=C.UTF-8";
  }
  const ConsoleStyle style = StyleOfStdout();
  const std::string kind = Variable("TERM").empty() ? "TERM is not set" : Variable("TERM");
  Finding terminal{.name = "terminal"};
  if (isatty(STDOUT_FILENO) == 0) {
    terminal.text = "stdout is no terminal: plain text";
  } else {
    terminal.text = kind + ", " + std::to_string(style.columns) + " columns, " +
                    (style.colour                   ? "in colour"
                     : Variable("NO_COLOR").empty() ? "without colour"
                                                    : "without colour (NO_COLOR)");
  }
  return {"Terminal", {locale, terminal}};
}

}  // namespace ponder
