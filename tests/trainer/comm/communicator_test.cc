// The suite on the backends of host memory, with messages and blocks cut small, so that every test
// also crosses their borders. And what NCCL says where it cannot run.
#include "core/base/error.h"
#include "tests/trainer/comm/communicator_suite.h"

namespace ponder {

CommOptions WorldOptions() {
  return {.timeout = std::chrono::milliseconds(20'000), .max_message_bytes = 4096};
}
std::vector<std::string> BackendsUnderTest() { return {"local", "mpi"}; }

namespace {

TEST(NcclRefusal, NamesTheRankAndTheCauseWhereNoDeviceAnswers) {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess && count > 0) {
    GTEST_SKIP() << "a CUDA device answers here";
  }
  try {
    MakeNcclCommunicator(World(), WorldOptions());
    FAIL() << "expected a refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kConfig);
    const std::string text = error.what();
    EXPECT_EQ(text.find("NCCL start: rank " + std::to_string(World().rank()) + " of " +
                        std::to_string(World().size()) + ": expected a CUDA device, got "),
              0u)
        << text;
    EXPECT_NE(text.find("use the mpi backend here"), std::string::npos) << text;
  }
  World().Barrier();  // a refusal leaves the communicator that it borrowed usable
}

TEST(MpiCommunicator, CannotBeMadeTwice) {
  EXPECT_THROW(MakeMpiCommunicator(WorldOptions()), CommError);
}

}  // namespace
}  // namespace ponder
