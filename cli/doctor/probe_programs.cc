#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "cli/doctor/probes.h"
#include "cli/doctor/programs.h"
#include "cli/supervisor/bounded_command.h"
#include "cli/supervisor/launch_plan.h"
#include "core/base/json.h"
#include "core/base/program.h"

namespace ponder {
namespace {

constexpr size_t kMaxAnswerBytes = 1u << 20;

// The object that a program wrote on stdout; a launcher may write lines around it. Nothing, with
// the reason, when there is none.
std::optional<nlohmann::json> AnswerOf(const CommandResult& result, std::string* problem) {
  if (!result.ok()) {
    *problem = result.Explain();
    return std::nullopt;
  }
  try {
    const size_t begin = std::min(result.out.find("{\""), result.out.size());
    const size_t end = result.out.rfind('}');
    const std::string answer = end == std::string::npos || end < begin
                                   ? result.out
                                   : result.out.substr(begin, end + 1 - begin);
    return ParseJsonStrict(answer, "its answer", kMaxAnswerBytes);
  } catch (const Error& error) {
    *problem = error.what();
    return std::nullopt;
  }
}

Finding ProbeFiles(const ProbeOptions& options, bool* all_there) {
  std::string missing;
  for (const char* name :
       {"ponder_trainer", "ponder_rollout", "ponder_reward", "ponder_generate"}) {
    const std::string path = options.bin_directory + "/" + name;
    if (access(path.c_str(), X_OK) == 0) continue;
    missing += (missing.empty() ? "" : "; ") + path + ": " + std::strerror(errno);
  }
  *all_there = missing.empty();
  if (!missing.empty()) {
    return Blocking("programs", Condition::kUsage, missing,
                    "build or install all of Ponder into one folder (scripts/build.sh)");
  }
  return {.name = "programs", .text = "all five in " + options.bin_directory};
}

std::vector<Finding> ProbeWorker(const ProbeOptions& options) {
  ChildSpec spec;
  spec.name = "ponder_rollout";
  spec.argv = {options.bin_directory + "/ponder_rollout", "--self-test"};
  std::string problem;
  const auto answer = AnswerOf(RunBounded(spec, options.deadline), &problem);
  if (!answer) {
    return {Blocking("rollout", Condition::kUsage, "ponder_rollout does not start: " + problem,
                     "run ldd on it and install what is missing (scripts/install_deps.sh)")};
  }
  return {LibrariesFinding("rollout", *answer, {"libgomp", "libgrpc", "libprotobuf"})};
}

std::vector<Finding> ProbeTrainer(const ProbeOptions& options) {
  ChildSpec spec = MpirunSpec(/*num_ranks=*/2);
  spec.argv.push_back(options.bin_directory + "/ponder_trainer");
  spec.argv.emplace_back("--self-test");
  std::string problem;
  const CommandResult result = RunBounded(spec, options.deadline);
  const auto answer = AnswerOf(result, &problem);
  if (!answer) {
    return {Blocking("mpi", Condition::kUnavailable,
                     "mpirun -np 2 ponder_trainer --self-test: " + problem,
                     result.started ? "try by hand: mpirun -np 2 hostname, then the same with " +
                                          options.bin_directory + "/ponder_trainer --self-test"
                                    : "install openmpi-bin")};
  }
  std::vector<Finding> findings{LibrariesFinding(
      "trainer", *answer, {"libcudart", "libgomp", "libgrpc", "libmpi", "libnccl", "libprotobuf"})};
  try {
    for (Finding& finding : TrainerFindings(*answer)) findings.push_back(std::move(finding));
  } catch (const nlohmann::json::exception& error) {
    findings.push_back(Blocking("mpi", Condition::kUsage,
                                std::string("the trainer's answer makes no sense: ") + error.what(),
                                "the programs are of different builds: build all of them again"));
  }
  return findings;
}

}  // namespace

FindingSection ProbePrograms(const ProbeOptions& options) {
  FindingSection section{"Programs, libraries and backends", {}};
  section.findings.push_back({.name = "ponder", .text = VersionText("ponder")});
  bool all_there = false;
  section.findings.push_back(ProbeFiles(options, &all_there));
  if (!all_there) return section;
  for (const auto probe : {ProbeWorker, ProbeTrainer}) {
    for (Finding& finding : probe(options)) section.findings.push_back(std::move(finding));
  }
  return section;
}

}  // namespace ponder
