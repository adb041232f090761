// The `ponder` program in this process.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/command_line.h"

namespace ponder {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Runs `ponder WORDS`, with stdout and stderr captured.
inline Outcome RunPonder(const std::vector<std::string>& words) {
  std::vector<const char*> arguments{"ponder"};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = RunCommandLine(static_cast<int>(arguments.size()), arguments.data());
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace ponder
