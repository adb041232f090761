// What every main does around its own work.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace ponder {

// Starts gRPC (quiet unless GRPC_VERBOSITY says otherwise), ignores SIGPIPE, runs `body` and
// returns its code. An exception is printed once as "ROLE: error: text" and becomes the exit code
// of its condition. Called once, by main, before threads start.
int RunMain(const std::string& role, int argc, char** argv,
            const std::function<int(int argc, char** argv)>& body);

// A duration of an option or a configuration key, cut to milliseconds.
std::chrono::milliseconds Milliseconds(double seconds);

// A random id that no other process has (a UUID). No experiment's result depends on it.
std::string RandomId();

// A readable name that no other process has: "HOST-PID-" and four random digits, because the pids
// of containers on one host may be equal. Another one at each call.
std::string UniqueProcessName();

// "ponder_trainer 0.1.0 (gRPC 1.51.1, ...)": what --version prints.
std::string VersionText(const std::string& program);

}  // namespace ponder
