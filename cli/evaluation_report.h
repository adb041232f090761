// What an evaluation found, as JSON and as a table. Pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/config/experiment.h"

namespace ponder {

// `experiment`: as EvaluationExperiment made it; `metrics`: the metrics.jsonl of its run. One entry
// of "sets" for each that was measured, in the order of the experiment; every share is an object of
// value, low and high (95 %). Throws Error(kBadData) when a set has no line.
nlohmann::json EvaluationJson(const ExperimentConfig& experiment, const std::string& metrics);

// The same for people, at most 80 columns wide where names are short.
std::string EvaluationTable(const nlohmann::json& evaluation);

}  // namespace ponder
