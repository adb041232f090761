// Stand-ins for the processes of a run, so that the supervisor can be tested with real process
// trees. The test program plays them itself when its first argument is --child=ROLE.
#pragma once

#include <optional>

namespace ponder {

// Arguments: --child=ROLE FOLDER ...
//   supervisor FOLDER MAX_RESTARTS WORKER_ACTION TRAINER_ACTION...
//       runs a Supervisor over one trainer and one worker, with short limits
//   trainer FOLDER PORT ACTION...   listens, waits for a worker, then does the action of its n-th
//   start
//       exit:CODE, kill, gain_kill:STEP, gain_exit:STEP:CODE (a checkpoint appears first), serve
//       (until SIGTERM, then 75), deaf (ignores SIGTERM), silent (never listens), ranks (is a
//       launcher of two)
//   worker FOLDER ACTION            notes its pid, then: serve, exit:CODE, killed_once
// Every start is noted as a line "ROLE PID" in FOLDER/starts.
// The exit code when the program is a child, nothing when it is the test.
std::optional<int> RunAsChild(int argc, char** argv);

}  // namespace ponder
