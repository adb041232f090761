#include "core/base/session_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/base/error.h"
#include "tests/core/base/fake_trainer.h"

namespace ponder {
namespace {

using ::ponder::testing::FakeTrainer;
using ::ponder::testing::WaitUntil;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::chrono::milliseconds kConnectTimeout{60'000};

class SessionClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<SessionClient> Connect(
      std::chrono::milliseconds connect_timeout = kConnectTimeout) {
    return std::make_unique<SessionClient>(
        trainer_.Connect(), options_, connect_timeout, [this] { return stop_.load(); },
        [this]() -> std::vector<uint64_t> {
          if (held_throws_) throw std::runtime_error("the list of leases is gone");
          return {11, 12};
        },
        [this](const std::vector<uint64_t>& lost) {
          MutexLock lock(mutex_);
          lost_.insert(lost_.end(), lost.begin(), lost.end());
        },
        log_);
  }

  std::vector<uint64_t> lost() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return lost_;
  }

  // Several heartbeats from now.
  bool WaitForRenewals() {
    const int before = trainer_.num_renewals();
    return WaitUntil([&] { return trainer_.num_renewals() >= before + 3; });
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  FakeTrainer trainer_;
  SessionOptions options_{.role = v1::ROLE_REWARD,
                          .name = "reward3",
                          .address = "127.0.0.1:77",
                          .kernel_paths = {"a", "b"}};
  std::atomic<bool> stop_{false};
  std::atomic<bool> held_throws_{false};
  Mutex mutex_;
  std::vector<uint64_t> lost_ GUARDED_BY(mutex_);
};

TEST_F(SessionClientTest, SaysWhoItIsAndKeepsWhatTheTrainerAnswers) {
  v1::RegisterReply answer = trainer_.answer();
  answer.set_attempt(4);
  answer.set_experiment_yaml("run: {name: x}");
  answer.mutable_peers()->set_version(2);
  answer.mutable_peers()->add_reward_addresses("127.0.0.1:88");
  trainer_.Answer(answer);
  const auto session = Connect();
  ASSERT_THAT(trainer_.registrations(), SizeIs(1));
  const v1::RegisterRequest request = trainer_.registrations().front();
  EXPECT_EQ(request.role(), v1::ROLE_REWARD);
  EXPECT_EQ(request.name(), "reward3");
  EXPECT_EQ(request.address(), "127.0.0.1:77");
  EXPECT_THAT(request.kernel_paths(), ElementsAre("a", "b"));
  EXPECT_EQ(request.session(), session->session());
  EXPECT_EQ(session->registration().run_id, "run-1");
  EXPECT_EQ(session->registration().attempt, 4U);
  EXPECT_EQ(session->registration().experiment_yaml, "run: {name: x}");
  EXPECT_EQ(session->registration().kernel_path, "aten_f32");
  EXPECT_THAT(session->reward_peers(), ElementsAre("127.0.0.1:88"));
  EXPECT_EQ(session->peers_version(), 2U);
}

TEST_F(SessionClientTest, EverySessionHasItsOwnId) {
  EXPECT_NE(Connect()->session(), Connect()->session());
}

TEST_F(SessionClientTest, RegistersOnceATrainerListens) {
  trainer_.Stop();
  auto session = std::async(std::launch::async, [this] { return Connect(); });
  trainer_.Start();
  EXPECT_EQ(session.get()->registration().run_id, "run-1");
}

TEST_F(SessionClientTest, GivesUpWhenTheTrainerStaysAway) {
  trainer_.Stop();
  try {
    Connect(std::chrono::milliseconds(0));
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kUnavailable);
    EXPECT_EQ(error.exit_code(), 75);
    EXPECT_THAT(error.what(), HasSubstr("Experience.Register of 'reward3': expected the trainer "
                                        "to answer within 0 s"));
  }
}

TEST_F(SessionClientTest, NeverAsksAgainAfterARefusal) {
  trainer_.Refuse({grpc::StatusCode::INVALID_ARGUMENT, "expected kernel path 'z'"});
  try {
    Connect();
    FAIL() << "expected an error";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kProtocol);
    EXPECT_THAT(error.what(), HasSubstr("expected kernel path 'z'"));
  }
  EXPECT_THAT(trainer_.registrations(), SizeIs(1));
}

TEST_F(SessionClientTest, RefusesASessionTimeoutOfZero) {
  v1::RegisterReply answer = trainer_.answer();
  answer.set_session_timeout_ms(0);
  trainer_.Answer(answer);
  EXPECT_THROW(Connect(), ProtocolError);
}

TEST_F(SessionClientTest, StopsTryingWhenAskedTo) {
  trainer_.Stop();
  auto session = std::async(std::launch::async, [this] { return Connect(); });
  stop_ = true;
  try {
    session.get();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kInterrupted);
  }
}

TEST_F(SessionClientTest, RenewsTheLeasesThatAreHeldAndTellsThoseLost) {
  const auto session = Connect();
  ASSERT_TRUE(WaitForRenewals());
  EXPECT_THAT(trainer_.last_renewal().lease_ids(), ElementsAre(11, 12));
  EXPECT_EQ(trainer_.last_renewal().session(), session->session());
  EXPECT_THAT(lost(), IsEmpty());
  v1::RenewLeasesReply reply;
  reply.add_lost_lease_ids(12);
  trainer_.AnswerRenewal(reply);
  ASSERT_TRUE(WaitUntil([&] { return !lost().empty(); }));
  EXPECT_THAT(lost(), ElementsAre(12));
}

TEST_F(SessionClientTest, TakesNewPeersAndKeepsThemWhileNothingChanged) {
  const auto session = Connect();
  v1::RenewLeasesReply reply;
  reply.set_peers_version(5);
  reply.mutable_peers()->add_reward_addresses("127.0.0.1:99");
  trainer_.AnswerRenewal(reply);
  ASSERT_TRUE(WaitUntil([&] { return session->peers_version() == 5; }));
  EXPECT_THAT(session->reward_peers(), ElementsAre("127.0.0.1:99"));
  ASSERT_TRUE(WaitForRenewals());
  EXPECT_EQ(trainer_.last_renewal().peers_version(), 5U);
  EXPECT_THAT(session->reward_peers(), ElementsAre("127.0.0.1:99"));

  v1::Peers older;
  session->NotePeers(4, &older);
  EXPECT_EQ(session->peers_version(), 5U) << "an older list changes nothing";
}

TEST_F(SessionClientTest, IsLostWhenTheTrainerDoesNotKnowIt) {
  const auto session = Connect();
  EXPECT_FALSE(session->is_lost());
  trainer_.ForgetSessions();
  EXPECT_TRUE(WaitUntil([&] { return session->is_lost(); }));
  EXPECT_FALSE(session->run_ended());
}

TEST_F(SessionClientTest, OutlivesAShortTrouble) {
  v1::RegisterReply answer = trainer_.answer();
  answer.set_session_timeout_ms(3000);  // a heartbeat a second, lost after six
  trainer_.Answer(answer);
  trainer_.FailRenewals({grpc::StatusCode::UNAVAILABLE, "busy"});
  const auto session = Connect();
  ASSERT_TRUE(WaitUntil([&] { return trainer_.num_renewals() >= 1; }));
  trainer_.FailRenewals(grpc::Status::OK);
  ASSERT_TRUE(WaitUntil([&] { return trainer_.last_renewal().session() == session->session(); }));
  EXPECT_FALSE(session->is_lost());
}

TEST_F(SessionClientTest, IsLostWhenTheTrainerIsAwayTooLong) {
  const auto session = Connect();
  trainer_.FailRenewals({grpc::StatusCode::UNAVAILABLE, "away"});
  EXPECT_TRUE(WaitUntil([&] { return session->is_lost(); }));
}

TEST_F(SessionClientTest, HearsOfTheEndOfTheRun) {
  const auto session = Connect();
  EXPECT_FALSE(session->run_ended());
  v1::RenewLeasesReply reply;
  reply.set_run_ended(true);
  trainer_.AnswerRenewal(reply);
  EXPECT_TRUE(WaitUntil([&] { return session->run_ended(); }));
  EXPECT_FALSE(session->is_lost());
}

TEST_F(SessionClientTest, IsLostWhenItsOwnerFails) {
  const auto session = Connect();
  held_throws_ = true;
  EXPECT_TRUE(WaitUntil([&] { return session->is_lost(); }));
}

}  // namespace
}  // namespace ponder
