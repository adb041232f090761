// The suite on device memory. Skipped, with the reason, where there is not one device per rank.
#include "tests/trainer/comm/communicator_suite.h"

namespace ponder {

CommOptions WorldOptions() { return {.timeout = std::chrono::milliseconds(60'000)}; }
std::vector<std::string> BackendsUnderTest() { return {"nccl"}; }

}  // namespace ponder
