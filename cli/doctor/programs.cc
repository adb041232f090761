#include "cli/doctor/programs.h"

#include <fmt/format.h>

#include <algorithm>

namespace ponder {
namespace {

using nlohmann::json;

// A text of an answer, whatever the program put there.
std::string TextAt(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return "unknown";
  return it->is_string() ? it->get<std::string>() : it->dump();
}

json PartOf(const json& answer, const char* key) {
  const auto it = answer.find(key);
  return it != answer.end() && it->is_object() ? *it : json::object();
}

Finding VersionsFinding(const json& versions) {
  return {.name = "versions",
          .text = fmt::format("LibTorch {} ({}), {}, NCCL {}, CUDA runtime {}",
                              TextAt(versions, "torch"), TextAt(versions, "cpu_capability"),
                              TextAt(versions, "mpi"), TextAt(versions, "nccl"),
                              TextAt(versions, "cuda_runtime")),
          .details = versions};
}

Finding GrpcFinding(const json& grpc) {
  if (!grpc.contains("round_trip_ms")) {
    return Blocking("gRPC", Condition::kUnavailable,
                    "no answer over the loopback interface: " + TextAt(grpc, "error"),
                    "let 127.0.0.1 talk to itself: look at proxies (no_proxy) and firewalls");
  }
  return {.name = "gRPC",
          .text = fmt::format(
              "a first call over 127.0.0.1 took {:.1f} ms",
              grpc["round_trip_ms"].is_number() ? grpc["round_trip_ms"].get<double>() : 0.0),
          .details = grpc};
}

Finding MpiFinding(const json& answer) {
  const std::string ranks = TextAt(answer, "ranks");
  if (TextAt(answer, "backend") != "mpi" || ranks != "2") {
    return Blocking(
        "mpi", Condition::kConfig,
        "mpirun -np 2 made a world of " + ranks + " (backend " + TextAt(answer, "backend") + ")",
        "use the mpirun of the Open MPI that ldd shows for ponder_trainer");
  }
  const bool is_right = answer.value("sum", 0.0) == answer.value("expected_sum", -1.0);
  if (!is_right) {
    return Blocking("mpi", Condition::kComm, "two ranks do not agree on a sum",
                    "try another Open MPI; this one computes wrong sums");
  }
  return {.name = "mpi", .text = "mpirun -np 2 starts, and the ranks agree on a sum"};
}

// Nothing needs a device yet for a run on the CPU.
std::vector<Finding> DeviceFindings(const json& devices, const std::string& nccl) {
  const bool has_driver = devices.value("driver_library", false);
  const int64_t count = devices.value("count", int64_t{0});
  Finding cuda{.name = "CUDA", .details = devices};
  if (count > 0) {
    cuda.text = Plural(static_cast<uint64_t>(count), "device") + " answer, driver for CUDA " +
                TextAt(devices, "driver_cuda");
  } else if (has_driver) {
    cuda.state = FindingState::kWarning;
    cuda.text = "the driver is there, but no device answers: " + TextAt(devices, "error");
    cuda.advice = "run nvidia-smi; in a container, pass the devices through (--gpus all)";
  } else {
    cuda.state = FindingState::kNotNeeded;
    cuda.text = "no driver (libcuda.so.1): everything runs on the CPU";
  }
  Finding backend{.name = "nccl", .text = "NCCL " + nccl + " is compiled in"};
  if (count == 0) {
    backend.state = FindingState::kNotNeeded;
    backend.text += "; it needs a CUDA device";
  }
  return {backend, cuda};
}

}  // namespace

Finding LibrariesFinding(const std::string& program, const json& answer,
                         const std::vector<std::string>& needed) {
  const json libraries = PartOf(answer, "libraries");
  Finding finding{.name = program, .details = libraries};
  std::vector<std::string> problems;
  std::string names;
  for (const auto& [name, paths] : libraries.items()) {
    names += (names.empty() ? "" : ", ") + name;
    if (paths.size() < 2) continue;
    std::string twice = name + " is loaded " + std::to_string(paths.size()) + " times:";
    for (const json& path : paths) twice += " " + (path.is_string() ? path.get<std::string>() : "");
    problems.push_back(std::move(twice));
  }
  for (const std::string& name : needed) {
    if (!libraries.contains(name)) problems.push_back(name + " is not loaded");
  }
  if (problems.empty()) {
    finding.text = "one each of " + names;
    return finding;
  }
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "; ") + problem;
  finding.state = FindingState::kFails;
  finding.text = text;
  finding.advice =
      "two copies in one process give crashes and wrong numbers: clear LD_LIBRARY_PATH and "
      "LD_PRELOAD, run scripts/install_deps.sh, build again";
  finding.blocks = Condition::kConfig;
  return finding;
}

std::vector<Finding> TrainerFindings(const json& answer) {
  const json versions = PartOf(answer, "versions");
  std::vector<Finding> findings{VersionsFinding(versions), GrpcFinding(PartOf(answer, "grpc")),
                                MpiFinding(answer)};
  for (Finding& finding : DeviceFindings(PartOf(answer, "devices"), TextAt(versions, "nccl"))) {
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace ponder
