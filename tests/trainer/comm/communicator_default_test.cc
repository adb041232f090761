// The suite on MPI with the sizes of messages and blocks that programs use.
#include "tests/trainer/comm/communicator_suite.h"

namespace ponder {

CommOptions WorldOptions() { return {.timeout = std::chrono::milliseconds(20'000)}; }
std::vector<std::string> BackendsUnderTest() { return {"mpi"}; }

}  // namespace ponder
