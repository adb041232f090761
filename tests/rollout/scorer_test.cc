#include "rollout/scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/rollout/rollout_fixture.h"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ScorerTest : public ::testing::Test {
 protected:
  // Has the group of a lease judged by `peers`; ordinal 0, so that the try picks the first of them.
  TrajectoryGroup Score(const std::vector<std::string>& peers, uint32_t try_number = 0) {
    PromptLease lease = LeaseOf(/*lease_id=*/0, ModelIdentity());
    lease.try_number = try_number;
    TrajectoryGroup group = SampledGroup(lease);
    Scorer scorer(
        channels_, [&peers] { return peers; }, call_limit_, log_);
    scorer.Score(
        *task_, [] { return false; }, &group);
    return group;
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  const std::shared_ptr<const Task> task_ = ChainTask();
  TcpChannelFactory channels_{/*allow_remote=*/false};
  std::chrono::milliseconds call_limit_{60'000};
};

// A peer that fails in a way of its own.
FakeRewardPeer::Answer Failing(grpc::StatusCode code, const std::string& text) {
  return
      [code, text](const v1::ScoreRequest&, v1::ScoreReply*) { return grpc::Status(code, text); };
}

TEST_F(ScorerTest, FillsInWhatTheServiceSaid) {
  FakeRewardPeer peer;
  const TrajectoryGroup group = Score({peer.address()});
  EXPECT_EQ(group.outcome, VerdictKind::kScored);
  ASSERT_THAT(group.trajectories, SizeIs(2));
  for (const Trajectory& trajectory : group.trajectories) {
    ASSERT_THAT(trajectory.rewards, SizeIs(1));
    EXPECT_EQ(trajectory.rewards[0].source, "answer");
    EXPECT_EQ(trajectory.rewards[0].value, 1.0);
    EXPECT_THAT(trajectory.step_ends, SizeIs(1)) << "'4 + 8 = 1 ;' is one step";
  }
}

TEST_F(ScorerTest, AHungServiceCostsItsShareAndTheNextOneJudges) {
  FakeRewardPeer hung;
  hung.Hang();
  FakeRewardPeer good;
  call_limit_ = std::chrono::milliseconds(500);
  const TrajectoryGroup group = Score({hung.address(), good.address()});
  EXPECT_EQ(group.outcome, VerdictKind::kScored) << group.reason;
  EXPECT_GE(good.num_calls(), 1);
}

TEST_F(ScorerTest, ServicesThatAllHangAreAnInfrastructureFailure) {
  FakeRewardPeer hung;
  hung.Hang();
  call_limit_ = std::chrono::milliseconds(20);
  const TrajectoryGroup group = Score({hung.address()});
  EXPECT_EQ(group.outcome, VerdictKind::kInfrastructureError);
  EXPECT_THAT(group.reason, HasSubstr("scoring failed: " + hung.address()));
  EXPECT_THAT(group.trajectories, IsEmpty());
}

TEST_F(ScorerTest, EachTryOfALeaseBeginsWithAnotherService) {
  for (uint32_t try_number = 0; try_number < 3; ++try_number) {
    FakeRewardPeer first;
    FakeRewardPeer second;
    EXPECT_EQ(Score({first.address(), second.address()}, try_number).outcome, VerdictKind::kScored);
    EXPECT_EQ(first.num_calls(), try_number % 2 == 0 ? 1 : 0) << "try " << try_number;
    EXPECT_EQ(second.num_calls(), try_number % 2 == 0 ? 0 : 1) << "try " << try_number;
  }
}

TEST_F(ScorerTest, GoesOnWithTheNextServiceWhenOneIsAwayOrBusyOrLeaving) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::RESOURCE_EXHAUSTED,
        grpc::StatusCode::CANCELLED}) {
    FakeRewardPeer failing(Failing(code, "not now"));
    FakeRewardPeer good;
    const TrajectoryGroup group = Score({failing.address(), good.address()});
    EXPECT_EQ(group.outcome, VerdictKind::kScored) << code << ": " << group.reason;
    EXPECT_EQ(failing.num_calls(), 1);
  }
}

TEST_F(ScorerTest, ARefusalIsNeverAskedAgain) {
  FakeRewardPeer refusing(Failing(grpc::StatusCode::INVALID_ARGUMENT, "expected a reward set"));
  FakeRewardPeer good;
  const TrajectoryGroup group = Score({refusing.address(), good.address()});
  EXPECT_EQ(group.outcome, VerdictKind::kInfrastructureError);
  EXPECT_THAT(group.reason, HasSubstr("expected a reward set"));
  EXPECT_EQ(refusing.num_calls(), 1);
  EXPECT_EQ(good.num_calls(), 0);
}

TEST_F(ScorerTest, AnInfrastructureVerdictIsAskedElsewhereAGoldRefusalIsFinal) {
  FakeRewardPeer broken([](const v1::ScoreRequest& request, v1::ScoreReply* reply) {
    return ScoreAll(request, reply, 0, VerdictKind::kInfrastructureError, "the sandbox is away");
  });
  FakeRewardPeer good;
  EXPECT_EQ(Score({broken.address(), good.address()}).outcome, VerdictKind::kScored);
  FakeRewardPeer strict([](const v1::ScoreRequest& request, v1::ScoreReply* reply) {
    return ScoreAll(request, reply, 0, VerdictKind::kRefused, "unreadable gold");
  });
  const TrajectoryGroup refused = Score({strict.address(), good.address()});
  EXPECT_EQ(refused.outcome, VerdictKind::kRefused);
  EXPECT_EQ(refused.reason, "answer: unreadable gold");
  EXPECT_THAT(refused.trajectories, IsEmpty());
}

TEST_F(ScorerTest, AReplyThatDoesNotFitTheGroupIsAnError) {
  FakeRewardPeer lazy([](const v1::ScoreRequest&, v1::ScoreReply*) { return grpc::Status::OK; });
  try {
    Score({lazy.address()});
    FAIL() << "expected an error";
  } catch (const ProtocolError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ScoreReply.scores: expected 2, got 0"));
  }
}

TEST_F(ScorerTest, WithoutAServiceTheGroupFailsWithTheCause) {
  call_limit_ = std::chrono::milliseconds(1);
  const TrajectoryGroup group = Score({});
  EXPECT_EQ(group.outcome, VerdictKind::kInfrastructureError);
  EXPECT_EQ(group.reason, "scoring failed: no reward service is registered");
}

}  // namespace
}  // namespace ponder::testing
