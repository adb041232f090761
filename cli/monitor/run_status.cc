#include "cli/monitor/run_status.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr size_t kMaxBytes = size_t{1} << 22;

// By value of the enumeration.
constexpr std::array<std::string_view, 8> kRunStates{
    "starting", "running", "stopping", "finished", "stopped", "failed", "killed", "unsupervised"};
constexpr std::array<std::string_view, 4> kProcessStates{"starting", "running", "waiting", "ended"};

std::string StatusPath(const std::string& run_folder) { return run_folder + "/status.json"; }

template <typename State, size_t kCount>
State StateFrom(const json& value, const std::array<std::string_view, kCount>& names,
                const std::string& source) {
  const auto at = std::find(names.begin(), names.end(), value.get<std::string>());
  if (at == names.end()) {
    throw Error(Condition::kBadData, source + ": unknown state " + value.dump());
  }
  return static_cast<State>(at - names.begin());
}

json JsonOf(const ProcessIdentity& identity) {
  return {{"pid", identity.pid}, {"start_ticks", identity.start_ticks}};
}

ProcessIdentity IdentityFrom(const json& value) {
  return {value.at("pid").get<pid_t>(), value.at("start_ticks").get<uint64_t>()};
}

}  // namespace

std::string_view NameOf(RunPhase state) { return kRunStates.at(static_cast<size_t>(state)); }

std::string_view NameOf(ProcessState state) {
  return kProcessStates.at(static_cast<size_t>(state));
}

bool IsActive(RunPhase state) {
  return state == RunPhase::kStarting || state == RunPhase::kRunning ||
         state == RunPhase::kStopping;
}

std::string ToJson(const RunStatus& status) {
  json processes = json::array();
  for (const ProcessStatus& process : status.processes) {
    processes.push_back({{"name", process.name},
                         {"identity", JsonOf(process.identity)},
                         {"state", NameOf(process.state)},
                         {"restarts", process.restarts},
                         {"detail", process.detail}});
  }
  const json root{{"format_version", kFormatVersion},        {"state", NameOf(status.state)},
                  {"supervisor", JsonOf(status.supervisor)}, {"attempt", status.attempt},
                  {"started_s", status.started_s},           {"ended_s", status.ended_s},
                  {"exit_code", status.exit_code},           {"message", status.message},
                  {"processes", std::move(processes)}};
  // What a process printed may be no UTF-8.
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

RunStatus RunStatusFromJson(std::string_view text, const std::string& source) {
  const json root = ParseJsonStrict(text, source, kMaxBytes);
  try {
    if (root.at("format_version") != kFormatVersion) {
      throw Error(Condition::kBadData, source + ": expected format_version " +
                                           std::to_string(kFormatVersion) + ", got " +
                                           root.at("format_version").dump());
    }
    RunStatus status{.state = StateFrom<RunPhase>(root.at("state"), kRunStates, source),
                     .supervisor = IdentityFrom(root.at("supervisor")),
                     .attempt = root.at("attempt").get<int64_t>(),
                     .started_s = root.at("started_s").get<int64_t>(),
                     .ended_s = root.at("ended_s").get<int64_t>(),
                     .exit_code = root.at("exit_code").get<int64_t>(),
                     .message = root.at("message").get<std::string>(),
                     .processes = {}};
    for (const json& process : root.at("processes")) {
      status.processes.push_back(
          {.name = process.at("name").get<std::string>(),
           .identity = IdentityFrom(process.at("identity")),
           .state = StateFrom<ProcessState>(process.at("state"), kProcessStates, source),
           .restarts = process.at("restarts").get<int64_t>(),
           .detail = process.at("detail").get<std::string>()});
    }
    return status;
  } catch (const json::exception& error) {
    throw Error(Condition::kBadData, source + ": " + error.what());
  }
}

void WriteRunStatus(FileSystem& files, const std::string& run_folder, const RunStatus& status) {
  WriteFileAtomically(files, StatusPath(run_folder), ToJson(status));
}

RunStatus ReadRunStatus(FileSystem& files, const std::string& run_folder) {
  const std::string path = StatusPath(run_folder);
  if (!files.Exists(path)) return {};
  return RunStatusFromJson(files.ReadFile(path, kMaxBytes), path);
}

}  // namespace ponder
