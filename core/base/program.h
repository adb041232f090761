// What every main does around its own work.
#pragma once

#include <functional>
#include <string>

namespace ponder {

// Starts gRPC (quiet unless GRPC_VERBOSITY says otherwise), ignores SIGPIPE, runs `body` and
// returns its code. An exception is printed once as "ROLE: error: text" and becomes the exit code
// of its condition. Called once, by main, before threads start.
int RunMain(const std::string& role, int argc, char** argv,
            const std::function<int(int argc, char** argv)>& body);

// "ponder_trainer 0.1.0 (gRPC 1.51.1, ...)": what --version prints.
std::string VersionText(const std::string& program);

}  // namespace ponder
