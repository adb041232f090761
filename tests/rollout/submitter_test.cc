#include "rollout/submitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "tests/rollout/fake_rollout_trainer.h"
#include "tests/rollout/rollout_fixture.h"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::chrono::minutes kLong{1};

class SubmitterTest : public ::testing::Test {
 protected:
  void Start(FakeRewardPeer* peer) {
    scorer_ = std::make_unique<Scorer>(
        channels_, [address = peer->address()] { return std::vector<std::string>{address}; },
        std::chrono::milliseconds(60'000), log_);
    submitter_ = std::make_unique<Submitter>(
        trainer_.Connect(), "s1", *scorer_,
        [this](uint64_t lease_id) {
          MutexLock lock(mutex_);
          done_.insert(lease_id);
        },
        log_);
  }

  bool Add(uint64_t lease_id, std::chrono::milliseconds limit = kLong) {
    return submitter_->Add({.group = SampledGroup(LeaseOf(lease_id, {})), .task = task_}, limit);
  }
  // The lease needs no more renewal.
  bool WaitUntilDone(uint64_t lease_id) {
    return WaitUntil([&] {
      MutexLock lock(mutex_);
      return done_.count(lease_id) > 0;
    });
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  const std::shared_ptr<const Task> task_ = ChainTask();
  FakeRolloutTrainer trainer_;
  FakeRewardPeer good_;
  TcpChannelFactory channels_{/*allow_remote=*/false};
  Mutex mutex_;
  std::set<uint64_t> done_ GUARDED_BY(mutex_);
  std::unique_ptr<Scorer> scorer_;
  std::unique_ptr<Submitter> submitter_;
};

TEST_F(SubmitterTest, BringsScoredGroupsInOrder) {
  Start(&good_);
  for (const uint64_t lease_id : {1U, 2U, 3U}) ASSERT_TRUE(Add(lease_id));
  ASSERT_TRUE(WaitUntilDone(3));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(submissions[i].header.lease_id(), i + 1);
    EXPECT_EQ(submissions[i].header.session(), "s1");
    EXPECT_EQ(submissions[i].header.outcome(), v1::VERDICT_KIND_SCORED);
    EXPECT_EQ(submissions[i].header.num_trajectories(), 2U);
    ASSERT_THAT(submissions[i].trajectories, SizeIs(2));
    EXPECT_EQ(submissions[i].trajectories[1].rewards(0).value(), 1.0);
  }
  EXPECT_NO_THROW(submitter_->RethrowFailure());
}

TEST_F(SubmitterTest, AGroupThatFailedBeforeIsSubmittedUnscored) {
  Start(&good_);
  FinishedGroup finished{.group = SampledGroup(LeaseOf(4, {})), .task = task_};
  FailGroup(VerdictKind::kInfrastructureError, "no model", &finished.group);
  ASSERT_TRUE(submitter_->Add(std::move(finished), kLong));
  ASSERT_TRUE(WaitUntilDone(4));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(1));
  EXPECT_EQ(submissions[0].header.outcome(), v1::VERDICT_KIND_INFRASTRUCTURE_ERROR);
  EXPECT_EQ(submissions[0].header.reason(), "no model");
  EXPECT_EQ(good_.num_calls(), 0);
}

TEST_F(SubmitterTest, AnErrorOfScoringReachesTheTrainerAtOnceWithItsCause) {
  FakeRewardPeer lazy([](const v1::ScoreRequest&, v1::ScoreReply*) { return grpc::Status::OK; });
  Start(&lazy);
  ASSERT_TRUE(Add(5));
  ASSERT_TRUE(WaitUntilDone(5));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(1));
  EXPECT_EQ(submissions[0].header.outcome(), v1::VERDICT_KIND_INFRASTRUCTURE_ERROR);
  EXPECT_EQ(submissions[0].header.num_trajectories(), 0U);
  EXPECT_THAT(submissions[0].header.reason(), HasSubstr("ScoreReply.scores: expected 2, got 0"));
  EXPECT_NO_THROW(submitter_->RethrowFailure());
}

TEST_F(SubmitterTest, WhatTheTrainerRefusesEndsTheWorkerAndGivesTheLeaseBack) {
  trainer_.AnswerSubmits(
      {{grpc::StatusCode::INVALID_ARGUMENT, "Trajectory.token_ids: expected 9"}});
  Start(&good_);
  ASSERT_TRUE(Add(6));
  ASSERT_TRUE(WaitUntilDone(6));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(2)) << "the group once, then that it failed";
  EXPECT_EQ(submissions[1].header.outcome(), v1::VERDICT_KIND_INFRASTRUCTURE_ERROR);
  EXPECT_EQ(submissions[1].header.lease_id(), 6U);
  EXPECT_THAT(submissions[1].header.reason(), HasSubstr("Trajectory.token_ids: expected 9"));
  try {
    submitter_->RethrowFailure();
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kProtocol);
    EXPECT_THAT(error.what(), HasSubstr("Experience.SubmitGroup"));
    EXPECT_THAT(error.what(), HasSubstr("Trajectory.token_ids: expected 9"));
  }
}

TEST_F(SubmitterTest, ATrainersTroubleGivesTheLeaseBackAndTheWorkerGoesOn) {
  trainer_.AnswerSubmits({{grpc::StatusCode::INTERNAL, "disk on fire"}});
  Start(&good_);
  ASSERT_TRUE(Add(7));
  ASSERT_TRUE(WaitUntilDone(7));
  ASSERT_TRUE(Add(8));
  ASSERT_TRUE(WaitUntilDone(8));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(3));
  EXPECT_THAT(submissions[1].header.reason(), HasSubstr("disk on fire"));
  EXPECT_EQ(submissions[2].header.outcome(), v1::VERDICT_KIND_SCORED);
  EXPECT_NO_THROW(submitter_->RethrowFailure());
}

TEST_F(SubmitterTest, TriesTheSameGroupAgainWhileTheTrainerIsAway) {
  trainer_.AnswerSubmits(
      {{grpc::StatusCode::UNAVAILABLE, "away"}, {grpc::StatusCode::CANCELLED, "shutting down"}});
  Start(&good_);
  ASSERT_TRUE(Add(9));
  ASSERT_TRUE(WaitUntilDone(9));
  const auto submissions = trainer_.submissions();
  ASSERT_THAT(submissions, SizeIs(3));
  for (const Submission& submission : submissions) {
    EXPECT_EQ(submission.header.outcome(), v1::VERDICT_KIND_SCORED);
    EXPECT_THAT(submission.trajectories, SizeIs(2));
  }
  EXPECT_EQ(good_.num_calls(), 1) << "scored once";
}

TEST_F(SubmitterTest, ALostSessionIsNotToldOfFailures) {
  trainer_.AnswerSubmits({{grpc::StatusCode::FAILED_PRECONDITION, "unknown session"}});
  Start(&good_);
  ASSERT_TRUE(Add(10));
  ASSERT_TRUE(WaitUntilDone(10));
  EXPECT_THAT(trainer_.submissions(), SizeIs(1));
  EXPECT_NO_THROW(submitter_->RethrowFailure());
}

TEST_F(SubmitterTest, AFullQueueTakesNoMoreAndTheEndWaitsForNobody) {
  FakeRewardPeer hung;
  hung.Hang();
  Start(&hung);
  ASSERT_TRUE(Add(1));
  ASSERT_TRUE(WaitUntil([&] { return hung.num_calls() == 1; })) << "the first is being scored";
  uint64_t lease_id = 2;
  while (Add(lease_id, std::chrono::milliseconds(0))) ++lease_id;
  EXPECT_EQ(lease_id, 10U) << "eight wait behind it";
  submitter_.reset();
  EXPECT_EQ(hung.num_calls(), 1);
  EXPECT_THAT(trainer_.submissions(), SizeIs(0));
}

}  // namespace
}  // namespace ponder::testing
