// What `ponder up` says about its run and the processes of it: status.json in the run folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/base/process_info.h"

namespace ponder {

enum class RunPhase {
  kStarting,  // the trainer does not listen yet
  kRunning,
  kStopping,
  kFinished,
  kStopped,  // as asked; it can go on
  kFailed,
  kKilled,       // its `ponder up` is gone without a word
  kUnsupervised  // started otherwise, so nobody says
};

enum class ProcessState {
  kStarting,
  kRunning,
  kWaiting,  // to be started again
  kEnded
};

// "running", as in status.json and on the screen.
std::string_view NameOf(RunPhase state);
std::string_view NameOf(ProcessState state);

// True for states in which a supervisor works.
bool IsActive(RunPhase state);

struct ProcessStatus {
  std::string name;  // "trainer" (the launcher), "rank0", "worker0", "reward0"
  ProcessIdentity identity;
  ProcessState state = ProcessState::kWaiting;
  int64_t restarts = 0;
  std::string detail;  // why it ended; empty while all is well
  bool operator==(const ProcessStatus&) const = default;
};

// Written by one `ponder up`, on every change. Times are seconds since 1970.
struct RunStatus {
  RunPhase state = RunPhase::kUnsupervised;
  ProcessIdentity supervisor;
  int64_t attempt = 0;
  int64_t started_s = 0;
  int64_t ended_s = 0;    // 0 while it is active
  int64_t exit_code = 0;  // of `ponder up`, once it has ended
  std::string message;    // why it failed or restarted last: one line, then its details
  std::vector<ProcessStatus> processes;
  bool operator==(const RunStatus&) const = default;
};

std::string ToJson(const RunStatus& status);
// Throws Error(kBadData) naming `source`.
RunStatus RunStatusFromJson(std::string_view json, const std::string& source);

// The status.json of a run folder. Throws Error(kIo).
void WriteRunStatus(FileSystem& files, const std::string& run_folder, const RunStatus& status);
// Nothing was written yet: the default. Throws Error(kIo), Error(kBadData).
RunStatus ReadRunStatus(FileSystem& files, const std::string& run_folder);

}  // namespace ponder
