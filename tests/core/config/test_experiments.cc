#include "tests/core/config/test_experiments.h"

#include "core/base/error.h"
#include "core/config/experiment.h"

namespace ponder {

std::string Spoiled(std::string_view from, std::string_view to) {
  std::string text(kValidExperiment);
  const size_t position = text.find(from);
  if (position == std::string::npos) return {};
  return text.replace(position, from.size(), to);
}

std::string ProblemsOf(const std::string& text, const std::vector<std::string>& overrides) {
  try {
    ParseExperiment(text, "x.yaml", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

}  // namespace ponder
