// Named failpoints: places where a fault test can stop, kill or break a program. Compiled in only
// with PONDER_FAILPOINTS; otherwise PONDER_FAILPOINT(name) is nothing.
//
// Switched on by the environment variable PONDER_FAILPOINTS, a semicolon-separated list of
//   NAME=ACTION[@HIT][,role=ROLE][,rank=R][,once=MARKER_FILE]
// ACTION: kill (SIGKILL to this process), term (SIGTERM to it, and a pause), error (throws
// Error(kIo)), delay:MS, nan (IsFired returns true). HIT: fires at that hit only, counted from 1 in
// this process; without it, at every hit. once: fires only if MARKER_FILE could be created, so that
// a restarted process does not fire again.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

// Tells the failpoints who this process is, for the role= and rank= filters. Called once by main,
// before threads start. Reads the environment; throws Error(kUsage) on a list that does not parse,
// and on any list when failpoints are not compiled in.
void ConfigureFailpoints(std::string_view role, int rank);

// Counts a hit of `name` and does what the list says. Returns true when a `nan` action fired.
// Thread safe.
bool HitFailpoint(std::string_view name);

// What PONDER_FAILPOINT is without failpoints.
constexpr bool NoFailpoint() { return false; }

}  // namespace ponder

#ifdef PONDER_FAILPOINTS
#define PONDER_FAILPOINT(name) ::ponder::HitFailpoint(name)
#else
#define PONDER_FAILPOINT(name) ::ponder::NoFailpoint()
#endif
