// The probes of `ponder doctor`, one function for each section. None of them hangs: what could is
// done by a child process with a deadline. None throws for what it finds.
#pragma once

#include <chrono>
#include <string>

#include "cli/doctor/finding.h"

namespace ponder {

struct ProbeOptions {
  std::string bin_directory;                   // where the programs lie
  std::string run_parent;                      // where runs would be written; need not exist
  std::chrono::milliseconds deadline{30'000};  // of one child process
};

// The programs, what each has loaded, MPI, gRPC, CUDA.
FindingSection ProbePrograms(const ProbeOptions& options);
FindingSection ProbeMachine();
FindingSection ProbeSandbox(const ProbeOptions& options);
FindingSection ProbeNetwork();
FindingSection ProbeDisk(const ProbeOptions& options);
FindingSection ProbeTerminal();

}  // namespace ponder
