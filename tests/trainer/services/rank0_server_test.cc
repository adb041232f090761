// Life and end of the server.
#include "trainer/services/rank0_server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "tests/trainer/services/rank0_fixture.h"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using Rank0ServerTest = Rank0Test;

TEST_F(Rank0ServerTest, PortInUseIsAClearError) {
  Rank0Options options = DefaultOptions();
  options.listen = "127.0.0.1:" + std::to_string(server_->port());
  try {
    Rank0Server second(
        options, [](uint64_t) { return Prompt(); }, clock_, log_);
    FAIL() << "expected Error(kIo)";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_THAT(error.what(), HasSubstr(options.listen));
    EXPECT_THAT(error.what(), HasSubstr("port in use"));
  }
}

TEST_F(Rank0ServerTest, HealthIsServing) {
  const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                           grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  SetTestDeadline(&context);
  const grpc::Slice empty("");
  const grpc::ByteBuffer request(&empty, 1);  // a HealthCheckRequest for the server as a whole
  grpc::ByteBuffer reply;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &reply,
                 [&](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  ASSERT_TRUE(status.ok()) << status.error_message();
  grpc::Slice bytes;
  ASSERT_TRUE(reply.DumpToSingleSlice(&bytes).ok());
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "\x08\x01") << "status: SERVING";
}

TEST_F(Rank0ServerTest, EndOfTheRunReachesEveryCall) {
  TestPeer first = Join("s1", "w1");
  TestPeer second = Join("s2", "w2");
  v1::AcquirePromptsReply parked;
  auto poll = std::async(std::launch::async, [&] { return first.Acquire(1, 1, &parked); });
  WaitUntilParked(1);
  server_->EndRun();
  ASSERT_TRUE(poll.get().ok());
  EXPECT_TRUE(parked.run_ended());
  v1::AcquirePromptsReply later;
  ASSERT_TRUE(second.Acquire(1, 1, &later).ok());
  EXPECT_TRUE(later.run_ended());
  v1::RenewLeasesReply renewed;
  ASSERT_TRUE(second.Renew({}, &renewed).ok());
  EXPECT_TRUE(renewed.run_ended());
}

TEST_F(Rank0ServerTest, StoppingWithParkedPollsTellsThemToComeAgain) {
  std::vector<TestPeer> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(Join("s" + std::to_string(i), "w" + std::to_string(i)));
  }
  std::vector<v1::AcquirePromptsReply> replies(peers.size());
  std::vector<std::future<grpc::Status>> polls;
  for (size_t i = 0; i < peers.size(); ++i) {
    polls.push_back(
        std::async(std::launch::async, [&, i] { return peers[i].Acquire(1, 1, &replies[i]); }));
  }
  WaitUntilParked(4);
  server_.reset();
  for (auto& poll : polls) {
    EXPECT_EQ(poll.get().error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(Rank0ServerTest, StoppingCutsOpenStreams) {
  TestPeer worker = Join("s1", "w1");
  grpc::ClientContext watching;
  SetTestDeadline(&watching);
  v1::WatchRequest watch;
  watch.set_session(worker.session());
  watch.set_model("policy");
  const auto watcher = worker.model().Watch(&watching, watch);
  grpc::ClientContext submitting;
  SetTestDeadline(&submitting);
  v1::SubmitGroupReply reply;
  const auto writer = worker.experience().SubmitGroup(&submitting, &reply);
  v1::SubmitGroupRequest header;
  header.mutable_header()->set_session(worker.session());
  header.mutable_header()->set_outcome(v1::VERDICT_KIND_SCORED);
  writer->Write(header);
  server_.reset();
  v1::ModelInfo info;
  EXPECT_FALSE(watcher->Read(&info));
  watcher->Finish();
  EXPECT_FALSE(writer->Finish().ok()) << "a submit that was not committed";
}

TEST_F(Rank0ServerTest, ManyWorkersFillStepsTogether) {
  constexpr int64_t kSteps = 5;
  constexpr int64_t kSlots = 4;
  std::vector<std::future<void>> workers;
  for (int w = 0; w < 3; ++w) {
    workers.push_back(std::async(std::launch::async, [this, w] {
      TestPeer peer = Join("s" + std::to_string(w), "w" + std::to_string(w));
      v1::AcquirePromptsReply leased;
      for (uint64_t seq = 1; !leased.run_ended(); ++seq) {
        leased.Clear();
        const grpc::Status status = peer.Acquire(seq, 2, &leased);
        ASSERT_TRUE(status.ok()) << status.error_message();
        for (const v1::PromptLease& lease : leased.leases()) {
          v1::SubmitGroupReply reply;
          ASSERT_TRUE(peer.Submit(lease, &reply).ok());
          EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
        }
      }
    }));
  }
  BeginStage(kSteps, kSlots);
  for (int64_t step = 0; step < kSteps; ++step) {
    const auto groups = server_->WaitForStep(step, std::chrono::seconds(60));
    ASSERT_TRUE(groups.has_value()) << server_->DescribeWaiting();
    ASSERT_THAT(*groups, SizeIs(kSlots));
    for (int64_t slot = 0; slot < kSlots; ++slot) {
      const TrajectoryGroup& group = (*groups)[static_cast<size_t>(slot)];
      EXPECT_EQ(group.lease.prompt.ordinal, OrdinalOf(static_cast<uint64_t>(step * kSlots + slot)));
      EXPECT_EQ(group.lease.model.version, static_cast<uint64_t>(1 + step));
    }
    server_->Publish(MakeSnapshot(static_cast<uint64_t>(2 + step)));
    server_->ReleaseStep(step);
  }
  server_->EndStage();
  server_->EndRun();
  for (auto& worker : workers) worker.get();
  EXPECT_EQ(server_->counters().groups_accepted, static_cast<uint64_t>(kSteps * kSlots));
}

#ifdef PONDER_FAILPOINTS
TEST_F(Rank0ServerTest, FailedSubmitCanBeRepeated) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased).ok());
  setenv("PONDER_FAILPOINTS", "trainer.submit=error", 1);
  ConfigureFailpoints("trainer", 0);
  v1::SubmitGroupReply reply;
  EXPECT_EQ(worker.Submit(leased.leases(0), &reply).error_code(), grpc::StatusCode::INTERNAL);
  unsetenv("PONDER_FAILPOINTS");
  ConfigureFailpoints("trainer", 0);
  EXPECT_EQ(server_->counters().groups_accepted, 0u);
  ASSERT_TRUE(worker.Submit(leased.leases(0), &reply).ok());
  EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
}
#endif

}  // namespace
}  // namespace ponder::testing
