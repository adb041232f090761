// Runs a program that may hang, and gets what it said.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/supervisor/child_process.h"

namespace ponder {

struct CommandResult {
  std::optional<ExitStatus> status;  // nothing: killed at the deadline, or for too much output
  std::string out;                   // at most a MiB each
  std::string err;
  std::string problem;   // why there is no status, or why it could not start; empty otherwise
  bool started = false;  // false: it could not be executed
  bool ok() const { return status && status->shell_code() == 0; }
  // How it ended, and the first error that it told on stderr, or else its last words there. One
  // line.
  std::string Explain() const;
};

// Blocks until the program ends, at most for `deadline`; then it and its descendants are killed.
// Its output goes to anonymous memory, so a full pipe cannot stop it. Never throws for what the
// program does; throws Error(kIo) when this process is out of descriptors. Uses fork: see
// ChildProcess.
CommandResult RunBounded(const ChildSpec& spec, std::chrono::milliseconds deadline);

}  // namespace ponder
