// The experience service over real RPCs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <limits>

#include "tests/trainer/services/rank0_fixture.h"

namespace ponder::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ExperienceRpcTest = Rank0Test;

TEST_F(ExperienceRpcTest, RegisterTellsTheNewcomerAboutTheRun) {
  TestPeer worker = Worker("s1", "w1");
  v1::RegisterReply reply;
  ASSERT_TRUE(worker.RegisterAsWorker(&reply).ok());
  EXPECT_EQ(reply.run_id(), kRunId);
  EXPECT_EQ(reply.attempt(), kAttempt);
  EXPECT_EQ(reply.experiment_yaml(), "config_version: 1\n");
  EXPECT_EQ(reply.kernel_path(), "aten_f32");
  EXPECT_EQ(reply.session_timeout_ms(), 30'000u);
  EXPECT_EQ(server_->num_workers(), 1u);
}

TEST_F(ExperienceRpcTest, NewcomersThatCannotTakePartAreRefusedWithTheReason) {
  struct Case {
    const char* what;
    std::function<void(v1::RegisterRequest*)> change;
    const char* text;
  };
  const Case cases[] = {
      {"a worker of another kernel path",
       [](v1::RegisterRequest* request) { request->set_kernel_paths(0, "exact_avx512"); },
       "kernel path 'aten_f32'"},
      {"a newer message format",
       [](v1::RegisterRequest* request) { request->set_format_version(2); }, "at most 1, got 2"},
      {"no role", [](v1::RegisterRequest* request) { request->clear_role(); }, "role"},
      {"no session", [](v1::RegisterRequest* request) { request->clear_session(); }, "session"},
      {"a long name",
       [](v1::RegisterRequest* request) { request->set_name(std::string(300, 'n')); },
       "expected 1 to 256 bytes, got 300"},
      {"a reward service without an address",
       [](v1::RegisterRequest* request) { request->set_role(v1::ROLE_REWARD); }, "address"},
  };
  TestPeer peer = Worker("s1", "w1");
  for (const Case& wrong : cases) {
    v1::RegisterRequest request = peer.WorkerRequest();
    wrong.change(&request);
    v1::RegisterReply reply;
    const grpc::Status status = peer.Register(request, &reply);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << wrong.what;
    EXPECT_THAT(status.error_message(), HasSubstr(wrong.text)) << wrong.what;
  }
  EXPECT_EQ(server_->num_workers(), 0u);
}

TEST_F(ExperienceRpcTest, GroupsOfAStepReachTheTrainer) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(/*num_steps=*/1, /*slots=*/2);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 8, &leased).ok());
  EXPECT_THAT(OrdinalsOf(leased), ElementsAre(OrdinalOf(0), OrdinalOf(1)));
  EXPECT_EQ(leased.leases(0).lease_id() >> 40, kAttempt) << "attempts share no lease ids";
  for (const v1::PromptLease& lease : leased.leases()) {
    v1::SubmitGroupReply reply;
    const grpc::Status status = worker.Submit(lease, &reply);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
  }
  const auto groups = server_->WaitForStep(0, std::chrono::seconds(60));
  ASSERT_TRUE(groups.has_value());
  ASSERT_THAT(*groups, SizeIs(2));
  EXPECT_EQ((*groups)[1].lease.prompt.ordinal, OrdinalOf(1));
  EXPECT_EQ((*groups)[1].worker, "w1");
  ASSERT_THAT((*groups)[1].trajectories, SizeIs(kNumSamples));
  EXPECT_THAT((*groups)[1].trajectories[1].behavior_logprobs, ElementsAre(0, 0, 0, -0.5F, -0.25F));
}

TEST_F(ExperienceRpcTest, RepeatedSeqGetsTheSameLeases) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 3);
  v1::AcquirePromptsReply first;
  v1::AcquirePromptsReply again;
  v1::AcquirePromptsReply next;
  ASSERT_TRUE(worker.Acquire(1, 2, &first).ok());
  ASSERT_TRUE(worker.Acquire(1, 2, &again).ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  ASSERT_TRUE(worker.Acquire(2, 2, &next).ok());
  EXPECT_THAT(OrdinalsOf(next), ElementsAre(OrdinalOf(2)));
  EXPECT_EQ(worker.Acquire(1, 2, &again).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(worker.Acquire(3, 65, &again).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ExperienceRpcTest, LongPollWakesOnPublish) {
  TestPeer worker = Join("s1", "w1");
  v1::AcquirePromptsReply reply;
  auto poll = std::async(std::launch::async, [&] { return worker.Acquire(1, 8, &reply); });
  WaitUntilParked(1);
  BeginStage(1, 2);
  const grpc::Status status = poll.get();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(OrdinalsOf(reply), SizeIs(2));
}

TEST_F(ExperienceRpcTest, LongPollEndsWithTheClock) {
  TestPeer worker = Join("s1", "w1");
  v1::AcquirePromptsReply reply;
  auto poll = std::async(std::launch::async, [&] { return worker.Acquire(1, 8, &reply); });
  WaitUntilParked(1);
  clock_.Advance(std::chrono::seconds(10));
  const grpc::Status status = poll.get();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(OrdinalsOf(reply), IsEmpty());
  EXPECT_FALSE(reply.run_ended());
}

TEST_F(ExperienceRpcTest, CancelledPollLosesNoLeases) {
  TestPeer worker = Join("s1", "w1");
  grpc::ClientContext context;
  SetTestDeadline(&context);
  v1::AcquirePromptsReply lost;
  auto poll =
      std::async(std::launch::async, [&] { return worker.Acquire(1, 8, &lost, 0, &context); });
  WaitUntilParked(1);
  context.TryCancel();
  EXPECT_EQ(poll.get().error_code(), grpc::StatusCode::CANCELLED);
  BeginStage(1, 2);
  // Whether or not the server had noticed, the same seq brings them.
  v1::AcquirePromptsReply reply;
  ASSERT_TRUE(worker.Acquire(1, 8, &reply).ok());
  EXPECT_THAT(OrdinalsOf(reply), ElementsAre(OrdinalOf(0), OrdinalOf(1)));
  EXPECT_EQ(reply.leases(0).try_number(), 0u);
}

TEST_F(ExperienceRpcTest, RepeatedAndLateSubmitsAreAnsweredUnderOk) {
  TestPeer first = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply lost;
  ASSERT_TRUE(first.Acquire(1, 1, &lost).ok());
  clock_.Advance(std::chrono::seconds(31));
  TestPeer second = Join("s2", "w2");
  v1::AcquirePromptsReply reply;
  ASSERT_TRUE(second.Acquire(1, 1, &reply).ok());
  EXPECT_THAT(OrdinalsOf(reply), ElementsAre(OrdinalOf(0)));
  EXPECT_EQ(reply.leases(0).try_number(), 1u);
  ASSERT_TRUE(first.RegisterAsWorker().ok());

  v1::SubmitGroupReply verdict;
  ASSERT_TRUE(first.Submit(lost.leases(0), &verdict).ok());
  EXPECT_EQ(verdict.verdict(), v1::SUBMIT_VERDICT_STALE);
  ASSERT_TRUE(second.Submit(reply.leases(0), &verdict).ok());
  EXPECT_EQ(verdict.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
  ASSERT_TRUE(second.Submit(reply.leases(0), &verdict).ok());
  EXPECT_EQ(verdict.verdict(), v1::SUBMIT_VERDICT_DUPLICATE);
  ASSERT_TRUE(first.Submit(lost.leases(0), &verdict).ok());
  EXPECT_EQ(verdict.verdict(), v1::SUBMIT_VERDICT_DUPLICATE);
  EXPECT_EQ(server_->counters().groups_accepted, 1u);

  v1::SubmitGroupRequest header_alone;
  *header_alone.mutable_header() = GoodHeader(first.session(), lost.leases(0));
  EXPECT_EQ(first.SubmitRaw({header_alone}, &verdict).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT)
      << "also a late submit must be whole";
}

TEST_F(ExperienceRpcTest, SubmitThatLiesIsRefusedAndLeavesNothing) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased).ok());
  const v1::PromptLease& lease = leased.leases(0);

  using Messages = std::vector<v1::SubmitGroupRequest>;
  struct Case {
    const char* what;
    std::function<void(Messages*)> change;  // [header, trajectory 0, trajectory 1]
  };
  const auto trajectory = [](Messages* messages, size_t index) {
    return (*messages)[1 + index].mutable_trajectory();
  };
  const Case cases[] = {
      {"an empty stream", [](Messages* m) { m->clear(); }},
      {"an empty message", [](Messages* m) { (*m)[1].Clear(); }},
      {"a trajectory first", [](Messages* m) { m->erase(m->begin()); }},
      {"two headers", [](Messages* m) { m->insert(m->begin(), (*m)[0]); }},
      {"fewer trajectories than announced", [](Messages* m) { m->pop_back(); }},
      {"more trajectories than announced", [](Messages* m) { m->push_back(m->back()); }},
      {"another number of samples than the lease asks for",
       [](Messages* m) {
         m->pop_back();
         (*m)[0].mutable_header()->set_num_trajectories(1);
       }},
      {"a scored group without trajectories",
       [](Messages* m) {
         m->resize(1);
         (*m)[0].mutable_header()->set_num_trajectories(0);
       }},
      {"a refusal with trajectories",
       [](Messages* m) { (*m)[0].mutable_header()->set_outcome(v1::VERDICT_KIND_REFUSED); }},
      {"no outcome", [](Messages* m) { (*m)[0].mutable_header()->clear_outcome(); }},
      {"a time that is not a number",
       [](Messages* m) { (*m)[0].mutable_header()->set_score_s(std::nan("")); }},
      {"log-probs shorter than tokens",
       [&](Messages* m) { trajectory(m, 1)->mutable_behavior_logprobs()->RemoveLast(); }},
      {"a token beyond the vocabulary",
       [&](Messages* m) { trajectory(m, 0)->set_token_ids(4, kVocabSize); }},
      {"a log-prob of minus infinity",
       [&](Messages* m) {
         trajectory(m, 0)->set_behavior_logprobs(3, -std::numeric_limits<float>::infinity());
       }},
      {"another prompt", [&](Messages* m) { trajectory(m, 0)->set_token_ids(0, 7); }},
      {"another ordinal", [&](Messages* m) { trajectory(m, 1)->set_ordinal(OrdinalOf(1)); }},
      {"another version",
       [&](Messages* m) {
         for (auto& segment : *trajectory(m, 0)->mutable_segments()) segment.set_version(2);
       }},
      {"the same sample twice", [&](Messages* m) { trajectory(m, 1)->set_sample_index(0); }},
  };
  for (const Case& lie : cases) {
    Messages messages(1);
    *messages[0].mutable_header() = GoodHeader(worker.session(), lease);
    for (const v1::Trajectory& good : GoodTrajectories(lease)) {
      *messages.emplace_back().mutable_trajectory() = good;
    }
    lie.change(&messages);
    v1::SubmitGroupReply reply;
    const grpc::Status status = worker.SubmitRaw(messages, &reply);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << lie.what;
    EXPECT_THAT(status.error_message(), HasSubstr("expected")) << lie.what;
  }
  EXPECT_EQ(server_->counters().groups_accepted, 0u);
  v1::SubmitGroupReply reply;
  ASSERT_TRUE(worker.Submit(lease, &reply).ok());
  EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED) << "the lease is untouched";
}

TEST_F(ExperienceRpcTest, BrokenSubmitLeavesNothing) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased).ok());
  {
    grpc::ClientContext context;
    SetTestDeadline(&context);
    v1::SubmitGroupReply reply;
    const auto writer = worker.experience().SubmitGroup(&context, &reply);
    v1::SubmitGroupRequest message;
    *message.mutable_header() = GoodHeader(worker.session(), leased.leases(0));
    writer->Write(message);
    *message.mutable_trajectory() = GoodTrajectories(leased.leases(0))[0];
    writer->Write(message);
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_EQ(server_->counters().groups_accepted, 0u);
  v1::SubmitGroupReply reply;
  ASSERT_TRUE(worker.Submit(leased.leases(0), &reply).ok());
  EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
}

TEST_F(ExperienceRpcTest, RefusedPromptIsReplacedByTheNext) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased).ok());
  std::vector<v1::SubmitGroupRequest> messages(1);
  v1::SubmitGroupHeader* header = messages[0].mutable_header();
  *header = GoodHeader(worker.session(), leased.leases(0));
  header->set_num_trajectories(0);
  header->set_outcome(v1::VERDICT_KIND_REFUSED);
  header->set_reason("the reference answer does not parse");
  v1::SubmitGroupReply reply;
  ASSERT_TRUE(worker.SubmitRaw(messages, &reply).ok());
  EXPECT_EQ(reply.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
  ASSERT_TRUE(worker.Acquire(2, 1, &leased).ok());
  EXPECT_EQ(leased.leases(leased.leases_size() - 1).prompt().ordinal(), OrdinalOf(1));
  EXPECT_EQ(server_->counters().dropped.at("refused"), 1u);
}

TEST_F(ExperienceRpcTest, UnknownSessionsAreToldToRegister) {
  TestPeer stranger = Worker("s9", "nobody");
  v1::AcquirePromptsReply acquired;
  v1::RenewLeasesReply renewed;
  v1::SubmitGroupReply submitted;
  std::vector<v1::WeightChunk> chunks;
  server_->Publish(MakeSnapshot(1));
  const grpc::Status statuses[] = {stranger.Acquire(1, 1, &acquired), stranger.Renew({}, &renewed),
                                   stranger.Submit(v1::PromptLease(), &submitted),
                                   stranger.GetWeights(MakeSnapshot(1)->identity, 0, &chunks)};
  for (const grpc::Status& status : statuses) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(status.error_message(), HasSubstr("register again"));
  }
  EXPECT_THAT(chunks, IsEmpty());
}

TEST_F(ExperienceRpcTest, RestartedWorkerTakesOverAtOnce) {
  TestPeer before = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply lost;
  ASSERT_TRUE(before.Acquire(1, 1, &lost).ok());
  TestPeer after = Join("s2", "w1");
  v1::AcquirePromptsReply reply;
  ASSERT_TRUE(after.Acquire(1, 1, &reply).ok());
  EXPECT_THAT(OrdinalsOf(reply), ElementsAre(OrdinalOf(0)));
  EXPECT_EQ(reply.leases(0).try_number(), 1u);
  v1::SubmitGroupReply verdict;
  EXPECT_EQ(before.Submit(lost.leases(0), &verdict).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(server_->num_workers(), 1u);
}

TEST_F(ExperienceRpcTest, RenewalKeepsLeasesAliveAndNamesTheLost) {
  TestPeer worker = Join("s1", "w1");
  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased).ok());
  const uint64_t lease_id = leased.leases(0).lease_id();
  v1::RenewLeasesReply renewed;
  for (int round = 0; round < 4; ++round) {
    clock_.Advance(std::chrono::seconds(20));
    ASSERT_TRUE(worker.Renew({lease_id, 1}, &renewed).ok());
    EXPECT_THAT(renewed.lost_lease_ids(), ElementsAre(1));
  }
  v1::SubmitGroupReply verdict;
  ASSERT_TRUE(worker.Submit(leased.leases(0), &verdict).ok());
  EXPECT_EQ(verdict.verdict(), v1::SUBMIT_VERDICT_ACCEPTED);
}

TEST_F(ExperienceRpcTest, WorkersLearnWhereRewardServicesAre) {
  TestPeer worker = Join("s1", "w1");
  TestPeer reward = Worker("s2", "r1");
  ASSERT_TRUE(reward.RegisterAsReward("127.0.0.1:7001").ok());
  v1::RenewLeasesReply renewed;
  ASSERT_TRUE(worker.Renew({}, &renewed).ok());
  EXPECT_THAT(renewed.peers().reward_addresses(), ElementsAre("127.0.0.1:7001"));
  EXPECT_EQ(renewed.peers().version(), renewed.peers_version());

  BeginStage(1, 1);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 1, &leased, renewed.peers_version()).ok());
  EXPECT_FALSE(leased.has_peers()) << "the caller has the list";

  TestPeer restarted = Worker("s3", "r1");
  ASSERT_TRUE(restarted.RegisterAsReward("127.0.0.1:7002").ok());
  ASSERT_TRUE(worker.Renew({}, &renewed).ok());
  EXPECT_THAT(renewed.peers().reward_addresses(), ElementsAre("127.0.0.1:7002"));
  EXPECT_EQ(server_->num_reward_services(), 1u);
}

TEST_F(ExperienceRpcTest, EvaluationReachesTheTrainerInOrder) {
  TestPeer worker = Join("s1", "w1");
  server_->Publish(MakeSnapshot(1));
  SampledEvaluation evaluation;
  evaluation.name = "heldout";
  evaluation.stream = kEvaluationStream;
  evaluation.reward_set = "evaluation/heldout";
  evaluation.sampling.num_samples = kNumSamples;
  evaluation.num_prompts = 2;
  evaluation.model = MakeSnapshot(1)->identity;
  server_->BeginEvaluation(evaluation);
  v1::AcquirePromptsReply leased;
  ASSERT_TRUE(worker.Acquire(1, 2, &leased).ok());
  v1::SubmitGroupReply reply;
  ASSERT_TRUE(worker.Submit(leased.leases(1), &reply).ok());
  ASSERT_TRUE(worker.Submit(leased.leases(0), &reply).ok());
  const auto groups = server_->WaitForEvaluation(std::chrono::seconds(60));
  ASSERT_TRUE(groups.has_value());
  EXPECT_EQ((*groups)[0].lease.prompt.ordinal, OrdinalOf(0, kEvaluationStream));
  EXPECT_EQ((*groups)[1].lease.prompt.ordinal, OrdinalOf(1, kEvaluationStream));
}

}  // namespace
}  // namespace ponder::testing
