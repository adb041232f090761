#include "trainer/experience/experience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/trainer/experience/experience_helpers.h"

namespace ponder::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ExperienceTest : public ::testing::Test {
 protected:
  std::vector<PromptLease> Acquire(uint32_t max_groups, const std::string& session = "a",
                                   TimePoint now = At(0)) {
    return experience_.Acquire(session, ++seq_, max_groups, now);
  }
  SubmitVerdict SubmitScored(const PromptLease& lease, const std::string& session = "a") {
    return experience_.Submit(session, lease.lease_id, lease.try_number, ScoredGroup(lease));
  }
  SubmitVerdict SubmitFailed(const PromptLease& lease, VerdictKind outcome) {
    return experience_.Submit("a", lease.lease_id, lease.try_number, FailedGroup(lease, outcome));
  }
  void Begin(const SampledStage& stage, StageProgress progress = {}) {
    experience_.Publish(IdentityOf(stage.first_version));
    experience_.BeginStage(stage, std::move(progress));
  }

  Experience experience_{{.lease_time = std::chrono::seconds(30), .max_tries = 3}, PromptOf};
  uint64_t seq_ = 0;
};

TEST_F(ExperienceTest, LeasesNothingBeforeTheVersionIsPublished) {
  experience_.BeginStage(StageOf(/*num_steps=*/2, /*slots_per_step=*/2, /*max_staleness=*/0), {});
  EXPECT_FALSE(experience_.HasWork());
  EXPECT_THAT(Acquire(8), IsEmpty());
  experience_.Publish(IdentityOf(1));
  EXPECT_TRUE(experience_.HasWork());
  EXPECT_THAT(Acquire(8), SizeIs(2));
}

TEST_F(ExperienceTest, LeaseCarriesEverythingThatTheWorkerNeeds) {
  Begin(StageOf(2, 1, 0));
  const std::vector<PromptLease> leases = Acquire(1);
  ASSERT_THAT(leases, SizeIs(1));
  EXPECT_EQ(leases[0].prompt, PromptOf(OrdinalOf(0)));
  EXPECT_EQ(leases[0].model, IdentityOf(1));
  EXPECT_EQ(leases[0].stage, "reason");
  EXPECT_EQ(leases[0].reward_set, "stage/reason");
  EXPECT_EQ(leases[0].purpose, LeasePurpose::kTrain);
  EXPECT_EQ(leases[0].try_number, 0u);
  EXPECT_EQ(leases[0].expires_in_ms, 30'000u);
}

TEST_F(ExperienceTest, OnPolicyStepWaitsForTheWeightsOfTheStepBefore) {
  Begin(StageOf(2, 2, 0));
  for (const PromptLease& lease : Acquire(8)) SubmitScored(lease);
  ASSERT_TRUE(experience_.StepReady(0));
  experience_.TakeStep(0);
  EXPECT_FALSE(experience_.HasWork());
  experience_.Publish(IdentityOf(2));
  EXPECT_FALSE(experience_.HasWork()) << "the slots of step 0 are still held";
  experience_.ReleaseStep(0);
  const std::vector<PromptLease> leases = Acquire(8);
  EXPECT_THAT(OrdinalsOf(leases), ElementsAre(OrdinalOf(2), OrdinalOf(3)));
  EXPECT_EQ(leases[0].model.version, 2u);
}

TEST_F(ExperienceTest, DropAtZeroStalenessLeasesExactlyOneReplacement) {
  Begin(StageOf(2, 3, 0));
  const std::vector<PromptLease> first = Acquire(8);
  EXPECT_THAT(OrdinalsOf(first), ElementsAre(OrdinalOf(0), OrdinalOf(1), OrdinalOf(2)));
  EXPECT_EQ(SubmitFailed(first[1], VerdictKind::kRefused), SubmitVerdict::kAccepted);
  const std::vector<PromptLease> second = Acquire(8);
  EXPECT_THAT(OrdinalsOf(second), ElementsAre(OrdinalOf(3)));
  EXPECT_THAT(Acquire(8), IsEmpty());
  SubmitScored(second[0]);
  SubmitScored(first[2]);
  EXPECT_FALSE(experience_.StepReady(0)) << "the earliest ordinal is still out";
  SubmitScored(first[0]);
  ASSERT_TRUE(experience_.StepReady(0));
  EXPECT_THAT(OrdinalsOf(experience_.TakeStep(0)),
              ElementsAre(OrdinalOf(0), OrdinalOf(2), OrdinalOf(3)));
  experience_.Publish(IdentityOf(2));
  experience_.ReleaseStep(0);
  EXPECT_THAT(OrdinalsOf(Acquire(1)), ElementsAre(OrdinalOf(4)));
  EXPECT_EQ(experience_.counters().dropped.at("refused"), 1u);
}

TEST_F(ExperienceTest, DropWithStalenessRefillsTheSlotAtItsOwnVersion) {
  Begin(StageOf(3, 2, 1));
  std::vector<PromptLease> leases = Acquire(8);
  EXPECT_THAT(OrdinalsOf(leases),
              ElementsAre(OrdinalOf(0), OrdinalOf(1), OrdinalOf(2), OrdinalOf(3)));
  SubmitScored(leases[0]);
  SubmitScored(leases[1]);
  SubmitScored(leases[3]);
  experience_.TakeStep(0);
  experience_.Publish(IdentityOf(2));
  experience_.ReleaseStep(0);
  EXPECT_EQ(SubmitFailed(leases[2], VerdictKind::kRefused), SubmitVerdict::kAccepted);
  const std::vector<PromptLease> refill = Acquire(1);
  EXPECT_THAT(OrdinalsOf(refill), ElementsAre(OrdinalOf(2, /*refill=*/1)));
  EXPECT_EQ(refill[0].model.version, 1u) << "the slot keeps its version";
  SubmitScored(refill[0]);
  EXPECT_THAT(OrdinalsOf(experience_.TakeStep(1)), ElementsAre(OrdinalOf(2, 1), OrdinalOf(3)));
}

TEST_F(ExperienceTest, AtMostStalenessPlusOneStepsAreOpen) {
  Begin(StageOf(/*num_steps=*/9, /*slots_per_step=*/2, /*max_staleness=*/2));
  EXPECT_THAT(Acquire(64), SizeIs(6));
  EXPECT_FALSE(experience_.HasWork());
}

TEST_F(ExperienceTest, InfrastructureErrorTriesAgainAndThenDrops) {
  Begin(StageOf(1, 1, 0));
  for (uint32_t expected_try = 0; expected_try < 3; ++expected_try) {
    const std::vector<PromptLease> leases = Acquire(1);
    ASSERT_THAT(OrdinalsOf(leases), ElementsAre(OrdinalOf(0)));
    EXPECT_EQ(leases[0].try_number, expected_try);
    EXPECT_EQ(SubmitFailed(leases[0], VerdictKind::kInfrastructureError), SubmitVerdict::kAccepted);
  }
  EXPECT_THAT(OrdinalsOf(Acquire(1)), ElementsAre(OrdinalOf(1)));
  EXPECT_EQ(experience_.counters().dropped.at("infrastructure"), 1u);
}

TEST_F(ExperienceTest, FivePromptsInARowThatCannotBeScoredEndTheRun) {
  Begin(StageOf(1, 1, 0));
  for (int failure = 0; failure < 4 * 3; ++failure) {
    SubmitFailed(Acquire(1).at(0), VerdictKind::kInfrastructureError);
  }
  EXPECT_FALSE(experience_.StepReady(0)) << "four prompts were dropped and replaced";
  for (int failure = 0; failure < 3; ++failure) {
    EXPECT_FALSE(experience_.StepReady(0));
    SubmitFailed(Acquire(1).at(0), VerdictKind::kInfrastructureError);
  }
  try {
    experience_.StepReady(0);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kUnavailable);
    EXPECT_THAT(error.what(), HasSubstr("scoring 5 prompts in a row, each tried 3 times"));
    EXPECT_THAT(error.what(), HasSubstr(FailedGroup({}, VerdictKind::kInfrastructureError).reason));
  }
}

TEST_F(ExperienceTest, OnePromptThatIsScoredBreaksTheRow) {
  Begin(StageOf(1, 2, 0));
  const auto fail = [&](int num_prompts) {
    for (int failure = 0; failure < num_prompts * 3; ++failure) {
      SubmitFailed(Acquire(1).at(0), VerdictKind::kInfrastructureError);
    }
  };
  fail(4);
  SubmitScored(Acquire(1).at(0));
  fail(4);
  SubmitScored(Acquire(1).at(0));
  EXPECT_TRUE(experience_.StepReady(0));
}

TEST_F(ExperienceTest, RefusedPromptsAreNoFailureToScore) {
  Begin(StageOf(1, 1, 0));
  for (int prompt = 0; prompt < 9; ++prompt) {
    SubmitFailed(Acquire(1).at(0), VerdictKind::kRefused);
  }
  EXPECT_FALSE(experience_.StepReady(0));
}

TEST_F(ExperienceTest, ExpiredLeaseGoesToAnotherWorkerUnderTheSameOrdinal) {
  Begin(StageOf(1, 1, 0));
  const PromptLease lost = Acquire(1, "a").at(0);
  EXPECT_EQ(experience_.Expire(At(29)), 0u);
  EXPECT_EQ(experience_.Expire(At(30)), 1u);
  const PromptLease again = Acquire(1, "b", At(31)).at(0);
  EXPECT_EQ(again.prompt.ordinal, lost.prompt.ordinal);
  EXPECT_EQ(again.try_number, 1u);
  EXPECT_NE(again.lease_id, lost.lease_id);
  EXPECT_EQ(SubmitScored(lost, "a"), SubmitVerdict::kStale);
  EXPECT_EQ(SubmitScored(again, "b"), SubmitVerdict::kAccepted);
  EXPECT_EQ(SubmitScored(lost, "a"), SubmitVerdict::kDuplicate);
  EXPECT_EQ(SubmitScored(again, "b"), SubmitVerdict::kDuplicate);
  EXPECT_EQ(experience_.counters().leases_expired, 1u);
}

TEST_F(ExperienceTest, RenewalKeepsALeaseAndNamesTheLostOnes) {
  Begin(StageOf(1, 2, 0));
  const std::vector<PromptLease> leases = Acquire(2);
  EXPECT_THAT(experience_.Renew("a", {leases[0].lease_id, 999}, At(20)), ElementsAre(999));
  EXPECT_THAT(experience_.Renew("b", {leases[0].lease_id}, At(20)),
              ElementsAre(leases[0].lease_id));
  EXPECT_EQ(experience_.Expire(At(40)), 1u);
  EXPECT_NE(experience_.FindLease(leases[0].lease_id), nullptr);
  EXPECT_EQ(experience_.FindLease(leases[1].lease_id), nullptr);
}

TEST_F(ExperienceTest, OnlyTheHolderMaySubmit) {
  Begin(StageOf(1, 1, 0));
  const PromptLease lease = Acquire(1).at(0);
  EXPECT_EQ(SubmitScored(lease, "thief"), SubmitVerdict::kStale);
  PromptLease wrong_try = lease;
  wrong_try.try_number = 1;
  EXPECT_EQ(SubmitScored(wrong_try), SubmitVerdict::kStale);
  EXPECT_EQ(experience_.counters().stale, 2u);
  EXPECT_EQ(SubmitScored(lease), SubmitVerdict::kAccepted);
}

TEST_F(ExperienceTest, RepeatedSeqRepeatsTheAnswer) {
  Begin(StageOf(1, 4, 0));
  const std::vector<PromptLease> first = experience_.Acquire("a", 7, 2, At(0));
  EXPECT_EQ(experience_.Acquire("a", 7, 2, At(1)), first);
  EXPECT_EQ(experience_.counters().leases_issued, 2u);
  EXPECT_THAT(experience_.Acquire("a", 8, 4, At(1)), SizeIs(2));
  EXPECT_THROW(experience_.Acquire("a", 7, 2, At(1)), ProtocolError);
}

TEST_F(ExperienceTest, RepeatedSeqLeavesOutLeasesThatWereLost) {
  Begin(StageOf(1, 1, 0));
  const std::vector<PromptLease> first = experience_.Acquire("a", 1, 1, At(0));
  experience_.Expire(At(60));
  EXPECT_THAT(experience_.Acquire("b", 1, 1, At(60)), SizeIs(1));
  EXPECT_THAT(experience_.Acquire("a", 1, 1, At(60)), IsEmpty());
}

TEST_F(ExperienceTest, LeasesOfALostSessionGoBackAtOnce) {
  Begin(StageOf(1, 2, 0));
  EXPECT_THAT(Acquire(2, "a"), SizeIs(2));
  EXPECT_FALSE(experience_.HasWork());
  experience_.DropSession("a");
  const std::vector<PromptLease> again = Acquire(2, "b");
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].try_number, 1u);
}

TEST_F(ExperienceTest, EvaluationComesBeforeTraining) {
  Begin(StageOf(1, 2, 0));
  experience_.BeginEvaluation(EvaluationOf(/*num_prompts=*/2, /*version=*/1));
  const std::vector<PromptLease> leases = Acquire(3);
  EXPECT_THAT(OrdinalsOf(leases), ElementsAre(OrdinalOf(0, 0, kEvaluationStream),
                                              OrdinalOf(1, 0, kEvaluationStream), OrdinalOf(0)));
  EXPECT_EQ(leases[0].purpose, LeasePurpose::kEvaluate);
  EXPECT_EQ(leases[0].reward_set, "evaluation/heldout");
}

TEST_F(ExperienceTest, FailedEvaluationGroupIsEmptyInItsPlace) {
  experience_.Publish(IdentityOf(1));
  experience_.BeginEvaluation(EvaluationOf(3, 1));
  const std::vector<PromptLease> leases = Acquire(3);
  SubmitScored(leases[2]);
  SubmitFailed(leases[1], VerdictKind::kRefused);
  EXPECT_FALSE(experience_.EvaluationReady());
  SubmitScored(leases[0]);
  ASSERT_TRUE(experience_.EvaluationReady());
  const std::vector<TrajectoryGroup> groups = experience_.TakeEvaluation();
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[1].lease.prompt.ordinal, OrdinalOf(1, 0, kEvaluationStream));
  EXPECT_EQ(groups[1].outcome, VerdictKind::kRefused);
  EXPECT_EQ(groups[1].reason, "refused: as the test wants");
  EXPECT_THAT(groups[1].trajectories, IsEmpty());
  EXPECT_THAT(groups[2].trajectories, SizeIs(1));
  EXPECT_EQ(experience_.num_in_flight(), 0u);
}

TEST_F(ExperienceTest, TheSameEvaluationSetCanBeSampledAgain) {
  for (uint64_t version = 1; version <= 2; ++version) {
    experience_.Publish(IdentityOf(version));
    experience_.BeginEvaluation(EvaluationOf(1, version));
    const PromptLease lease = Acquire(1).at(0);
    EXPECT_EQ(lease.model.version, version);
    EXPECT_EQ(SubmitScored(lease), SubmitVerdict::kAccepted);
    EXPECT_THAT(experience_.TakeEvaluation(), SizeIs(1));
  }
}

TEST_F(ExperienceTest, EvaluationOfAnUnpublishedVersionIsABug) {
  experience_.Publish(IdentityOf(1));
  EXPECT_THROW(experience_.BeginEvaluation(EvaluationOf(1, 2)), Error);
}

TEST_F(ExperienceTest, EndedStageCountsItsOpenPromptsAsDroppedAndKeepsItsProgress) {
  Begin(StageOf(1, 2, 0));
  const std::vector<PromptLease> first = Acquire(2);
  for (const PromptLease& lease : first) SubmitScored(lease);
  experience_.TakeStep(0);
  experience_.Publish(IdentityOf(2));
  experience_.ReleaseStep(0);
  experience_.EndStage();
  bool complete = false;
  const StageProgress progress = experience_.Progress(2, &complete);
  EXPECT_TRUE(complete);
  EXPECT_EQ(progress.next_step, 1);
  EXPECT_EQ(progress.frontier, 2u);

  SampledStage next = StageOf(1, 1, 0, /*first_version=*/2);
  next.stream = 4;
  experience_.BeginStage(next, {});
  const PromptLease open = Acquire(1).at(0);
  experience_.EndStage();
  EXPECT_EQ(SubmitScored(open), SubmitVerdict::kStale);
  EXPECT_EQ(experience_.counters().dropped.at("stage_ended"), 1u);
  EXPECT_EQ(experience_.num_in_flight(), 0u);
}

TEST_F(ExperienceTest, FailureOfThePromptSourceReachesTheTrainer) {
  Experience experience(
      {}, [](uint64_t) -> Prompt { throw Error(Condition::kBadData, "reading line 7: not JSON"); });
  experience.Publish(IdentityOf(1));
  experience.BeginStage(StageOf(1, 1, 0), {});
  EXPECT_THAT(experience.Acquire("a", 1, 1, At(0)), IsEmpty());
  EXPECT_FALSE(experience.HasWork());
  try {
    experience.StepReady(0);
    FAIL() << "expected Error(kBadData)";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("line 7"));
  }
}

class RefuseEverythingTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(RefuseEverythingTest, EndsTheRunInsteadOfSamplingForever) {
  Experience experience({}, PromptOf);
  experience.Publish(IdentityOf(1));
  experience.BeginStage(StageOf(1, 1, /*max_staleness=*/GetParam()), {});
  uint64_t seq = 0;
  while (experience.HasWork()) {
    ASSERT_LT(seq, 1000u);
    const PromptLease lease = experience.Acquire("a", ++seq, 1, At(0)).at(0);
    experience.Submit("a", lease.lease_id, 0, FailedGroup(lease, VerdictKind::kRefused));
  }
  EXPECT_EQ(experience.counters().dropped.at("refused"), 256u) << "the first and 255 refills";
  EXPECT_THROW(experience.StepReady(0), Error);
}
INSTANTIATE_TEST_SUITE_P(Staleness, RefuseEverythingTest, ::testing::Values(0, 1));

TEST_F(ExperienceTest, DescribesWhatItWaitsFor) {
  Begin(StageOf(1, 2, 0));
  const std::vector<PromptLease> leases = Acquire(2, "a", At(1));
  SubmitScored(leases[0]);
  EXPECT_EQ(experience_.DescribeWaiting(At(13)),
            "1 of 2 groups of step 0 of stage 'reason'; waiting longest for prompt 1 of stream 3 "
            "(refill 0, try 0) leased to a for 12.0 s; 0 prompts wait for a worker");
}

TEST_F(ExperienceTest, ResumeRefusesGroupsThatDoNotBelong) {
  Begin(StageOf(4, 2, 1));
  TrajectoryGroup group = ScoredGroup(Acquire(1).at(0));
  struct Case {
    const char* what;
    uint64_t index;
    uint16_t stream;
    uint64_t version;
  };
  // Resumed at step 1 with version 2: the slots of step 1 hold prompts 2 and 3 of version 1.
  const Case cases[] = {
      {"a step in part", 2, kStream, 1},
      {"a step that is over", 0, kStream, 1},
      {"a step beyond the window", 4, kStream, 1},
      {"another stream", 2, kEvaluationStream, 1},
      {"the version of the checkpoint itself", 2, kStream, 2},
      {"a version that is too old", 2, kStream, 0},
  };
  for (const Case& wrong : cases) {
    Experience resumed({}, PromptOf);
    resumed.Publish(IdentityOf(2, /*attempt=*/2));
    StageProgress progress;
    progress.next_step = 1;
    group.lease.prompt.ordinal = OrdinalOf(wrong.index, 0, wrong.stream);
    group.lease.model.version = wrong.version;
    progress.stored.push_back(group);
    EXPECT_THROW(resumed.BeginStage(StageOf(4, 2, 1), progress), Error) << wrong.what;
  }
}

TEST_F(ExperienceTest, ExtendedStageSamplesTheMissingStepsAtTheVersionItResumesFrom) {
  Experience resumed({}, PromptOf);
  resumed.Publish(IdentityOf(5));
  StageProgress progress;
  progress.next_step = 4;  // the saved run ended with step 3 and never needed steps 4 and 5
  resumed.BeginStage(StageOf(/*num_steps=*/8, /*slots_per_step=*/1, /*max_staleness=*/2), progress);
  const std::vector<PromptLease> leases = resumed.Acquire("a", 1, 8, At(0));
  EXPECT_THAT(OrdinalsOf(leases), ElementsAre(OrdinalOf(4), OrdinalOf(5), OrdinalOf(6)));
  for (const PromptLease& lease : leases) EXPECT_EQ(lease.model.version, 5u);
}

TEST_F(ExperienceTest, MisuseByTheTrainerIsABug) {
  Begin(StageOf(2, 1, 0));
  EXPECT_THROW(experience_.TakeStep(0), Error) << "not ready";
  EXPECT_THROW(experience_.ReleaseStep(0), Error) << "not taken";
  EXPECT_THROW(experience_.Publish(IdentityOf(1)), Error) << "versions grow";
  EXPECT_THROW(experience_.BeginStage(StageOf(2, 1, 0), {}), Error) << "a stage is open";
}

}  // namespace
}  // namespace ponder::testing
