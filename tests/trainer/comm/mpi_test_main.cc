#include "tests/trainer/comm/mpi_test_main.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

namespace ponder {
namespace {

std::unique_ptr<Communicator> world;  // owned by main

// What ranks other than 0 print: failures only.
class FailurePrinter : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::fprintf(stderr, "[rank %d] %s.%s failed\n%s:%d\n%s\n", rank_,
                 info != nullptr ? info->test_suite_name() : "",
                 info != nullptr ? info->name() : "",
                 result.file_name() != nullptr ? result.file_name() : "?", result.line_number(),
                 result.message());
  }

 private:
  const int rank_;
};

}  // namespace

Communicator& World() { return *world; }

}  // namespace ponder

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  ponder::world = ponder::MakeMpiCommunicator(ponder::WorldOptions());
  if (const int rank = ponder::world->rank(); rank != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new ponder::FailurePrinter(rank));
  }
  // mpirun fails when any rank does, so ranks need not compare their results.
  const int code = RUN_ALL_TESTS();
  ponder::world.reset();
  return code;
}
