#include "rollout/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "core/base/error.h"
#include "tests/rollout/fake_model_service.h"
#include "tests/rollout/fake_rollout_trainer.h"
#include "tests/rollout/rollout_fixture.h"
#include "tests/rollout/tiny_model.h"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A worker and everybody it talks to, over real RPCs.
class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    v1::RegisterReply answer = trainer_.answer();
    answer.set_experiment_yaml(kExperimentYaml);
    answer.mutable_peers()->set_version(1);
    answer.mutable_peers()->add_reward_addresses(reward_.address());
    trainer_.Answer(answer);
  }

  ~WorkerTest() override {
    stop_ = true;
    if (end_.valid()) end_.wait();
  }

  // The worker's end, by a thread of its own.
  void Start() {
    end_ = std::async(std::launch::async, [this] {
      WorkerOptions options;
      options.trainer = trainer_.address();
      Worker worker(options, channels_, log_, [this] { return stop_.load(); });
      return worker.Run();
    });
  }

  void EndRun() {
    v1::RenewLeasesReply reply;
    reply.set_run_ended(true);
    trainer_.AnswerRenewal(reply);
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  FakeModelService models_;
  FakeRolloutTrainer trainer_{{&models_}};
  FakeRewardPeer reward_;
  TcpChannelFactory channels_{/*allow_remote=*/false};
  std::atomic<bool> stop_{false};
  std::future<WorkerEnd> end_;
};

TEST_F(WorkerTest, SamplesEachLeaseWithExactlyItsModel) {
  // Newest first: a worker that keeps the two newest versions only would wait for ever.
  for (uint64_t version = 1; version <= 4; ++version) models_.Publish(TinySnapshot(version));
  Start();
  for (const uint64_t version : {4U, 3U, 2U, 1U, 4U}) {
    trainer_.Lease(LeaseOf(/*lease_id=*/10 + version, TinySnapshot(version)->identity));
  }
  ASSERT_TRUE(trainer_.WaitForSubmissions(5));
  for (const Submission& submission : trainer_.submissions()) {
    const uint64_t version = submission.header.lease_id() - 10;
    EXPECT_EQ(submission.header.outcome(), v1::VERDICT_KIND_SCORED) << submission.header.reason();
    ASSERT_THAT(submission.trajectories, SizeIs(2));
    for (const v1::Trajectory& trajectory : submission.trajectories) {
      for (const v1::Segment& segment : trajectory.segments()) {
        EXPECT_EQ(segment.version(), version);
      }
      EXPECT_THAT(trajectory.rewards(), SizeIs(1));
    }
  }
}

TEST_F(WorkerTest, ALeaseWhoseModelIsGoneFailsAndTheNextOneIsSampled) {
  models_.Publish(TinySnapshot(1));
  models_.Publish(TinySnapshot(2));
  models_.Forget(1);
  Start();
  trainer_.Lease(LeaseOf(/*lease_id=*/1, TinySnapshot(1)->identity));
  trainer_.Lease(LeaseOf(/*lease_id=*/2, TinySnapshot(2)->identity));
  ASSERT_TRUE(trainer_.WaitForSubmissions(2));
  const auto submissions = trainer_.submissions();
  EXPECT_EQ(submissions[0].header.lease_id(), 1U);
  EXPECT_EQ(submissions[0].header.outcome(), v1::VERDICT_KIND_INFRASTRUCTURE_ERROR);
  EXPECT_THAT(submissions[0].header.reason(), HasSubstr("no longer has it"));
  EXPECT_EQ(submissions[1].header.lease_id(), 2U);
  EXPECT_EQ(submissions[1].header.outcome(), v1::VERDICT_KIND_SCORED);
}

TEST_F(WorkerTest, LeavesWhenTheRunEndsWhileItWaitsForAModel) {
  Start();
  trainer_.Lease(LeaseOf(/*lease_id=*/1, TinySnapshot(1)->identity));  // never announced
  ASSERT_TRUE(WaitUntil([&] { return trainer_.last_renewal().lease_ids_size() == 1; }));
  EndRun();
  EXPECT_EQ(end_.get(), WorkerEnd::kRunEnded);
  EXPECT_THAT(trainer_.submissions(), SizeIs(0));
}

TEST_F(WorkerTest, RegistersAgainWhenTheSessionIsLostWhileItWaitsForAModel) {
  Start();
  trainer_.Lease(LeaseOf(/*lease_id=*/1, TinySnapshot(1)->identity));
  ASSERT_TRUE(WaitUntil([&] { return trainer_.last_renewal().lease_ids_size() == 1; }));
  trainer_.ForgetSessions();
  EXPECT_EQ(end_.get(), WorkerEnd::kRegisterAgain);
}

TEST_F(WorkerTest, DropsTheWorkOfALeaseThatIsNoLongerItsOwn) {
  Start();
  trainer_.Lease(LeaseOf(/*lease_id=*/1, TinySnapshot(1)->identity));
  ASSERT_TRUE(WaitUntil([&] { return trainer_.last_renewal().lease_ids_size() == 1; }));
  v1::RenewLeasesReply lost;
  lost.add_lost_lease_ids(1);
  trainer_.AnswerRenewal(lost);
  ASSERT_TRUE(WaitUntil([&] { return trainer_.last_renewal().lease_ids_size() == 0; }));
  models_.Publish(TinySnapshot(2));
  trainer_.Lease(LeaseOf(/*lease_id=*/2, TinySnapshot(2)->identity));
  ASSERT_TRUE(trainer_.WaitForSubmissions(1));
  EXPECT_EQ(trainer_.submissions()[0].header.lease_id(), 2U);
}

TEST_F(WorkerTest, LeavesWhenAskedTo) {
  Start();
  ASSERT_TRUE(WaitUntil([&] { return trainer_.num_renewals() >= 1; }));
  stop_ = true;
  EXPECT_EQ(end_.get(), WorkerEnd::kStopped);
}

TEST_F(WorkerTest, LeavesWhenAskedToWhileTheTrainerIsAway) {
  trainer_.Stop();
  Start();
  stop_ = true;
  EXPECT_EQ(end_.get(), WorkerEnd::kStopped);
}

TEST_F(WorkerTest, EndsWithTheTrainersWordsWhenASubmitIsRefused) {
  models_.Publish(TinySnapshot(1));
  trainer_.AnswerSubmits({{grpc::StatusCode::INVALID_ARGUMENT, "Trajectory.segments: expected 2"}});
  Start();
  trainer_.Lease(LeaseOf(/*lease_id=*/1, TinySnapshot(1)->identity));
  try {
    end_.get();
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kProtocol);
    EXPECT_THAT(error.what(), HasSubstr("Trajectory.segments: expected 2"));
  }
}

TEST_F(WorkerTest, WorkersWithoutANameHaveDifferentOnes) {
  EXPECT_NE(WorkerOptions().name, WorkerOptions().name);
  EXPECT_FALSE(WorkerOptions().name.empty());
}

}  // namespace
}  // namespace ponder::testing
