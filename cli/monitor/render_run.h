// The picture of one run: the live block of `ponder up`, and `ponder status RUN`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/monitor/run_progress.h"
#include "cli/monitor/run_status.h"
#include "cli/monitor/text_layout.h"

namespace ponder {

// What a process takes at this moment.
struct ProcessUsage {
  double uptime_s = 0;
  uint64_t resident_bytes = 0;
};

// Everything that the picture shows.
struct RunView {
  std::string name;
  RunStatus status;
  RunProgress progress;
  std::map<std::string, ProcessUsage> usage;  // by process name, of those that live
  double elapsed_s = 0;                       // of the `ponder up` that started it
};

// Reads what the living processes of `status` take. A snapshot.
std::map<std::string, ProcessUsage> UsageOf(const RunStatus& status);

// Processes of `view` that its status counts as running, but that do not live, ended a moment ago.
void MarkEnded(RunView* view);

// The lines of the picture, none wider than style.width and not more than style.height of them:
// when rows are short, processes that are well are summed up first. Pure.
std::vector<std::string> RenderRun(const RunView& view, const TextStyle& style);

// "reason 24/60" or, for a run that has no experiment yet, "".
std::string StageText(const RunProgress& progress);

// Processes that run, of all: "4/4". The launcher does not count.
std::string ProcessCount(const RunStatus& status);

TextTone ToneOf(RunPhase state);

}  // namespace ponder
