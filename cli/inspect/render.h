// Facts as text for a person and as JSON for a program. Pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/console_text.h"
#include "cli/inspect/checkpoint_facts.h"
#include "cli/inspect/experiment_facts.h"
#include "cli/inspect/run_facts.h"
#include "cli/inspect/weights_facts.h"

namespace ponder {

std::string TextOf(const WeightsFacts& facts, const ConsoleStyle& style);
std::string TextOf(const CheckpointFacts& facts, const ConsoleStyle& style);
std::string TextOf(const RunFacts& facts, const ConsoleStyle& style);
std::string TextOf(const ExperimentFacts& facts, const ConsoleStyle& style);

nlohmann::ordered_json JsonOf(const WeightsFacts& facts);
nlohmann::ordered_json JsonOf(const CheckpointFacts& facts);
nlohmann::ordered_json JsonOf(const RunFacts& facts);
nlohmann::ordered_json JsonOf(const ExperimentFacts& facts);

}  // namespace ponder
