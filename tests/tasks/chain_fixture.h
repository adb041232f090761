// Configurations of CHAIN-11 and readings of its text, for tests.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "core/config/experiment.h"

namespace ponder::testing {

inline TaskConfig ChainConfig(int64_t min_operations, int64_t max_operations) {
  TaskConfig config;
  config.name = "chain";
  config.type = "chain";
  config.modulus = 11;
  config.num_operations = {min_operations, max_operations};
  return config;
}

inline std::vector<std::string> WordsOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// What follows the last "#".
inline std::string AnswerOf(const std::string& solution) {
  return solution.substr(solution.rfind('#') + 2);
}

}  // namespace ponder::testing
