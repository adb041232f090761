// Parked polls, one at a time: what wakes them and what they are told.
#include "trainer/services/experience_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/trainer/experience/experience_helpers.h"

namespace ponder::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Keeps its answers; more than one is a bug of the host.
class FakePoll : public ParkedPoll {
 public:
  void Answer(PollAnswer answer) override { answers_.push_back(std::move(answer)); }
  bool answered() const { return !answers_.empty(); }
  const PollAnswer& answer() const {
    EXPECT_THAT(answers_, SizeIs(1)) << "answered exactly once";
    return answers_.at(0);
  }
  // The condition of the error that it was answered with.
  Condition condition() const {
    try {
      std::rethrow_exception(answer().error);
    } catch (const Error& error) {
      return error.condition();
    }
  }

 private:
  std::vector<PollAnswer> answers_;
};

class ExperienceHostTest : public ::testing::Test {
 protected:
  ExperienceHostTest() {
    Join("w1", SessionRole::kWorker);
    Join("w2", SessionRole::kWorker);
  }
  void Join(const std::string& name, SessionRole role) {
    host_.Register({.id = "session-" + name,
                    .role = role,
                    .name = name,
                    .address = role == SessionRole::kReward ? "host:" + name : "",
                    .last_seen = {}});
  }
  void Poll(FakePoll& poll, const std::string& name, uint64_t seq, uint32_t max_groups = 1) {
    host_.Poll(
        &poll,
        {.session = "session-" + name, .seq = seq, .max_groups = max_groups, .peers_version = 1});
  }

  FakeClock clock_;
  Log log_{"trainer", 0, LogLevel::kError};
  ExperienceHost host_{
      {.lease_time = std::chrono::seconds(30), .max_tries = 3}, PromptOf, clock_, log_};
};

TEST_F(ExperienceHostTest, PublishWakesParkedPollsInTheOrderTheyCame) {
  host_.BeginStage(StageOf(1, 3, 0), {});
  FakePoll first;
  FakePoll second;
  Poll(first, "w1", 1, 2);
  Poll(second, "w2", 1, 2);
  EXPECT_FALSE(first.answered());
  host_.Publish(IdentityOf(1));
  EXPECT_THAT(OrdinalsOf(first.answer().leases), ElementsAre(OrdinalOf(0), OrdinalOf(1)));
  EXPECT_THAT(OrdinalsOf(second.answer().leases), ElementsAre(OrdinalOf(2)));
}

TEST_F(ExperienceHostTest, EvaluationStageReleaseAndRequeueWakePolls) {
  host_.Publish(IdentityOf(1));
  FakePoll for_evaluation;
  Poll(for_evaluation, "w1", 1);
  host_.BeginEvaluation(EvaluationOf(1, 1));
  ASSERT_TRUE(for_evaluation.answered());

  FakePoll for_stage;
  Poll(for_stage, "w1", 2);
  host_.BeginStage(StageOf(2, 1, 0), {});
  ASSERT_TRUE(for_stage.answered());

  FakePoll for_requeue;
  Poll(for_requeue, "w2", 1);
  EXPECT_FALSE(for_requeue.answered());
  PromptLease lease = for_stage.answer().leases.at(0);
  EXPECT_EQ(host_.Submit("session-w1", lease.lease_id, 0,
                         FailedGroup(lease, VerdictKind::kInfrastructureError)),
            SubmitVerdict::kAccepted);
  lease = for_requeue.answer().leases.at(0);
  EXPECT_EQ(lease.try_number, 1u);

  FakePoll for_next_step;
  Poll(for_next_step, "w1", 3);
  host_.Submit("session-w2", lease.lease_id, 1, ScoredGroup(lease));
  EXPECT_TRUE(host_.WaitForStep(0, Duration::zero()).has_value());
  host_.Publish(IdentityOf(2));
  EXPECT_FALSE(for_next_step.answered());
  host_.ReleaseStep(0);
  EXPECT_THAT(OrdinalsOf(for_next_step.answer().leases), ElementsAre(OrdinalOf(1)));
}

TEST_F(ExperienceHostTest, PollEndsEmptyWhenItsTimeIsOver) {
  FakePoll poll;
  Poll(poll, "w1", 1);
  clock_.Advance(std::chrono::milliseconds(9999));
  host_.Tick();
  EXPECT_FALSE(poll.answered());
  clock_.Advance(std::chrono::milliseconds(1));
  host_.Tick();
  EXPECT_THAT(poll.answer().leases, IsEmpty());
  EXPECT_FALSE(poll.answer().run_ended);
  EXPECT_EQ(poll.answer().error, nullptr);
}

TEST_F(ExperienceHostTest, LeaseThatIsNotRenewedGoesToAnotherWorker) {
  host_.Publish(IdentityOf(1));
  host_.BeginStage(StageOf(1, 1, 0), {});
  FakePoll holder;
  Poll(holder, "w1", 1);
  clock_.Advance(std::chrono::seconds(25));
  EXPECT_THAT(host_.Renew("session-w1", {}, 1).lost_lease_ids, IsEmpty());
  FakePoll waiting;
  Poll(waiting, "w2", 1);
  clock_.Advance(std::chrono::seconds(5));
  host_.Tick();
  EXPECT_EQ(waiting.answer().leases.at(0).try_number, 1u);
  EXPECT_EQ(host_.counters().leases_expired, 1u);
  EXPECT_EQ(host_.Count(SessionRole::kWorker), 2u) << "both sessions live";
}

TEST_F(ExperienceHostTest, SilentSessionIsOverAndItsLeasesGoToAnotherWorker) {
  host_.Publish(IdentityOf(1));
  host_.BeginStage(StageOf(1, 1, 0), {});
  FakePoll holder;
  Poll(holder, "w1", 1);
  clock_.Advance(std::chrono::seconds(25));
  FakePoll waiting;
  Poll(waiting, "w2", 1);
  clock_.Advance(std::chrono::seconds(5));
  host_.Tick();
  EXPECT_EQ(waiting.answer().leases.at(0).try_number, 1u);
  EXPECT_EQ(host_.Count(SessionRole::kWorker), 1u) << "w1 was silent for 30 s, w2 was not";
  EXPECT_THROW(host_.RequireSession("session-w1"), Error);
}

TEST_F(ExperienceHostTest, CancelledPollTakesNoLeases) {
  host_.BeginStage(StageOf(1, 1, 0), {});
  FakePoll gone;
  Poll(gone, "w1", 1);
  host_.Cancel(&gone);
  EXPECT_EQ(gone.condition(), Condition::kInterrupted);
  host_.Publish(IdentityOf(1));
  FakePoll other;
  Poll(other, "w2", 1);
  EXPECT_THAT(other.answer().leases, SizeIs(1));
  host_.Cancel(&gone);
  EXPECT_EQ(gone.condition(), Condition::kInterrupted) << "and is not answered again";
}

TEST_F(ExperienceHostTest, NewerPollOfASessionEndsItsOlderOne) {
  FakePoll older;
  FakePoll newer;
  Poll(older, "w1", 1);
  Poll(newer, "w1", 1);
  EXPECT_EQ(older.condition(), Condition::kInterrupted);
  EXPECT_FALSE(newer.answered());
  host_.Close();
}

TEST_F(ExperienceHostTest, ReplacedSessionLosesItsLeasesAndItsPollAtOnce) {
  host_.Publish(IdentityOf(1));
  host_.BeginStage(StageOf(1, 1, 0), {});
  FakePoll holder;
  Poll(holder, "w1", 1);
  FakePoll parked;
  Poll(parked, "w1", 2);
  FakePoll other;
  Poll(other, "w2", 1);
  host_.Register({.id = "session-w1-again",
                  .role = SessionRole::kWorker,
                  .name = "w1",
                  .address = {},
                  .last_seen = {}});
  EXPECT_EQ(parked.condition(), Condition::kUnknownSession);
  EXPECT_EQ(other.answer().leases.at(0).try_number, 1u);
}

TEST_F(ExperienceHostTest, EndOfTheRunReachesParkedAndLaterCalls) {
  FakePoll parked;
  Poll(parked, "w1", 1);
  host_.EndRun();
  EXPECT_TRUE(parked.answer().run_ended);
  FakePoll later;
  Poll(later, "w2", 1);
  EXPECT_TRUE(later.answer().run_ended);
  EXPECT_TRUE(host_.Renew("session-w1", {}, 1).run_ended);
  EXPECT_TRUE(host_.WaitUntilTold(std::chrono::hours(1)));
}

TEST_F(ExperienceHostTest, TheEndWaitsForRewardServicesToo) {
  Join("r", SessionRole::kReward);
  host_.EndRun();
  EXPECT_TRUE(host_.Renew("session-w1", {}, 1).run_ended);
  EXPECT_TRUE(host_.Renew("session-w2", {}, 1).run_ended);
  EXPECT_FALSE(host_.WaitUntilTold(std::chrono::milliseconds(1)));
  EXPECT_TRUE(host_.Renew("session-r", {}, 1).run_ended);
  EXPECT_TRUE(host_.WaitUntilTold(std::chrono::hours(1)));
}

TEST_F(ExperienceHostTest, ClosedHostIsUnavailable) {
  FakePoll parked;
  Poll(parked, "w1", 1);
  host_.Close();
  EXPECT_EQ(parked.condition(), Condition::kUnavailable);
  FakePoll later;
  Poll(later, "w1", 1);
  EXPECT_EQ(later.condition(), Condition::kUnavailable);
}

TEST_F(ExperienceHostTest, PeersComeWithAnswersUntilTheCallerHasThem) {
  Join("r", SessionRole::kReward);
  FakePoll poll;
  Poll(poll, "w1", 1);
  host_.EndRun();
  ASSERT_TRUE(poll.answer().peers.addresses.has_value());
  EXPECT_THAT(*poll.answer().peers.addresses, ElementsAre("host:r"));
  const uint64_t version = poll.answer().peers.version;
  EXPECT_FALSE(host_.Renew("session-w1", {}, version).peers.addresses.has_value());
}

TEST_F(ExperienceHostTest, UnknownSessionsAreTurnedAway) {
  FakePoll poll;
  Poll(poll, "stranger", 1);
  EXPECT_EQ(poll.condition(), Condition::kUnknownSession);
  EXPECT_THROW(host_.Renew("stranger", {}, 0), Error);
  EXPECT_THROW(host_.BeginSubmit("stranger", 1), Error);
  EXPECT_THROW(host_.Submit("stranger", 1, 0, {}), Error);
  EXPECT_THROW(host_.RequireSession("stranger"), Error);
}

TEST_F(ExperienceHostTest, WaitingForAStepEndsAtItsLimit) {
  host_.Publish(IdentityOf(1));
  host_.BeginStage(StageOf(1, 1, 0), {});
  EXPECT_FALSE(host_.WaitForStep(0, std::chrono::milliseconds(1)).has_value());
  EXPECT_FALSE(host_.WaitForEvaluation(std::chrono::milliseconds(1)).has_value());
}

}  // namespace
}  // namespace ponder::testing
