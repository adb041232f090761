// What `ponder doctor` found out, and what it means. Plain data and pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/console_text.h"
#include "core/base/error.h"

namespace ponder {

enum class FindingState {
  kWorks,
  kWarning,  // works, but look at the advice
  kFails,
  kNotNeeded,  // does not work here, and nothing needs it
};

struct Finding {
  std::string name{};  // "mpirun"
  FindingState state = FindingState::kWorks;
  std::string text{};    // what was found
  std::string advice{};  // what to do; empty when there is nothing
  // Set when a run on the CPU would fail because of this: what it would end with.
  std::optional<Condition> blocks = std::nullopt;
  nlohmann::ordered_json details = nullptr;  // numbers and paths for a program
};

struct FindingSection {
  std::string title;
  std::vector<Finding> findings;
};

// A finding that a run on the CPU cannot do without.
Finding Blocking(std::string name, Condition condition, std::string text, std::string advice);

// 0 when a run on the CPU would work, otherwise the exit code of the first finding that blocks it.
int ExitCodeOf(const std::vector<FindingSection>& sections);

std::string TextOf(const std::vector<FindingSection>& sections, const ConsoleStyle& style);
nlohmann::ordered_json JsonOf(const std::vector<FindingSection>& sections);

}  // namespace ponder
