#include "core/base/exit_codes.h"

#include <array>

namespace ponder {
namespace {

constexpr std::array<ExitCodeRow, 8> kExitCodes{{
    {0, "done", "nothing"},
    {2, "wrong command line or experiment file", "mend what the message names"},
    {65, "unreadable or corrupt data or checkpoint", "restore the file that the message names"},
    {70, "internal error: a bug", "report it with the message"},
    {74, "file or disk trouble", "look at space and permissions, then start again"},
    {75, "temporary failure, or stopped by the system",
     "start again: a run goes on from its last save"},
    {76, "training diverged", "lower the learning rate, or go on from an earlier step"},
    {130, "interrupted by the user", "start again to go on"},
}};

}  // namespace

std::span<const ExitCodeRow> ExitCodes() { return kExitCodes; }

}  // namespace ponder
