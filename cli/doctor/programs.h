// What the answers of the programs to --self-test mean. Pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/doctor/finding.h"

namespace ponder {

// One finding on the libraries of a program: each of `needed` must be loaded exactly once, each
// other watched one at most once. `answer` is the program's JSON.
Finding LibrariesFinding(const std::string& program, const nlohmann::json& answer,
                         const std::vector<std::string>& needed);

// Versions, gRPC, MPI, NCCL and CUDA, from the answer of the trainer under mpirun.
std::vector<Finding> TrainerFindings(const nlohmann::json& answer);

}  // namespace ponder
