#include "reward/service/reward_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/base/rpc.h"
#include "reward/service/judge.h"
#include "tests/reward/reward_fixture.h"

namespace ponder {
namespace {

using ::ponder::testing::Context;
using ::ponder::testing::Experiment;
using ::ponder::testing::kAttempt;
using ::ponder::testing::kRight;
using ::ponder::testing::kRunId;
using ::ponder::testing::RequestOf;
using ::testing::HasSubstr;

using ScoreFunction = std::function<v1::ScoreReply(const v1::ScoreRequest&)>;

// A service on a loopback port and a caller.
class RewardServiceTest : public ::testing::Test {
 protected:
  void Start(int num_threads, size_t max_queued) {
    service_ = std::make_unique<RewardService>(num_threads, max_queued);
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(service_.get());
    int port = 0;
    server_ = StartServer(builder, "127.0.0.1:0", &port);
    stub_ = v1::Reward::NewStub(
        TcpChannelFactory(/*allow_remote=*/false).Connect("127.0.0.1:" + std::to_string(port)));
  }

  void TearDown() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    service_.reset();
  }

  void Serve(ScoreFunction score) {
    service_->Serve({.run_id = kRunId, .attempt = kAttempt, .score = std::move(score)});
  }

  grpc::Status Score(const v1::ScoreRequest& request, v1::ScoreReply* reply) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    return stub_->Score(&context, request, reply);
  }

  // Calls from a thread of its own; yields the status code.
  std::future<grpc::StatusCode> ScoreLater() {
    return std::async(std::launch::async, [this] {
      v1::ScoreReply reply;
      return Score(RequestOf({kRight}), &reply).error_code();
    });
  }

  std::unique_ptr<RewardService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Reward::Stub> stub_;
};

TEST_F(RewardServiceTest, ScoresAGroupOverTheWire) {
  Start(/*num_threads=*/2, /*max_queued=*/16);
  const auto judge = std::make_shared<const Judge>(Experiment(), Context());
  Serve([judge](const v1::ScoreRequest& request) { return judge->Score(request); });
  v1::ScoreReply reply;
  const grpc::Status status = Score(RequestOf({kRight, "4 + 8 = 3 ; # 3"}), &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(reply.scores_size(), 2);
  EXPECT_EQ(reply.scores(0).rewards(0).value(), 1.0);
  EXPECT_EQ(reply.scores(0).rewards(0).rule(), "equal");
  EXPECT_EQ(reply.scores(1).rewards(0).value(), 0.0);
  EXPECT_EQ(reply.scores(1).rewards(0).rule(), "different");
}

TEST_F(RewardServiceTest, RefusesAnUnknownRewardSetForGood) {
  Start(/*num_threads=*/1, /*max_queued=*/16);
  const auto judge = std::make_shared<const Judge>(Experiment(), Context());
  Serve([judge](const v1::ScoreRequest& request) { return judge->Score(request); });
  v1::ScoreReply reply;
  const grpc::Status status = Score(RequestOf({kRight}, "stage/raison"), &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("stage/raison"));
}

TEST_F(RewardServiceTest, IsUnavailableToOtherRunsAndAttempts) {
  Start(/*num_threads=*/1, /*max_queued=*/16);
  v1::ScoreReply reply;
  EXPECT_EQ(Score(RequestOf({kRight}), &reply).error_code(), grpc::StatusCode::UNAVAILABLE)
      << "before it serves anybody";
  Serve([](const v1::ScoreRequest&) { return v1::ScoreReply(); });
  EXPECT_TRUE(Score(RequestOf({kRight}), &reply).ok());
  v1::ScoreRequest request = RequestOf({kRight});
  request.set_attempt(kAttempt + 1);
  EXPECT_EQ(Score(request, &reply).error_code(), grpc::StatusCode::UNAVAILABLE);
  request = RequestOf({kRight});
  request.set_run_id("run-2");
  EXPECT_EQ(Score(request, &reply).error_code(), grpc::StatusCode::UNAVAILABLE);
  service_->Serve({});
  EXPECT_EQ(Score(RequestOf({kRight}), &reply).error_code(), grpc::StatusCode::UNAVAILABLE)
      << "after it stopped serving";
}

TEST_F(RewardServiceTest, AnswersAFailureWithAnErrorAndGoesOn) {
  Start(/*num_threads=*/1, /*max_queued=*/16);
  Serve([](const v1::ScoreRequest&) -> v1::ScoreReply { throw std::runtime_error("disk gone"); });
  v1::ScoreReply reply;
  const grpc::Status status = Score(RequestOf({kRight}), &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("disk gone"));
  EXPECT_EQ(reply.scores_size(), 0) << "never a score of 0";
  Serve([](const v1::ScoreRequest&) { return v1::ScoreReply(); });
  EXPECT_TRUE(Score(RequestOf({kRight}), &reply).ok());
}

// One thread that is busy and a queue of one: of two more calls, one waits and one is refused.
TEST_F(RewardServiceTest, RefusesWhatItsQueueCannotHold) {
  Start(/*num_threads=*/1, /*max_queued=*/1);
  std::latch entered(1);
  std::latch release(1);
  std::atomic<bool> is_first{true};
  Serve([&](const v1::ScoreRequest&) {
    if (is_first.exchange(false)) entered.count_down();
    release.wait();
    return v1::ScoreReply();
  });
  std::future<grpc::StatusCode> busy = ScoreLater();
  entered.wait();
  std::promise<grpc::StatusCode> first;
  std::future<grpc::StatusCode> refused = first.get_future();
  std::atomic<int> num_answered{0};
  std::atomic<int> num_ok{0};
  const auto call = [&] {
    v1::ScoreReply reply;
    const grpc::StatusCode code = Score(RequestOf({kRight}), &reply).error_code();
    num_ok += code == grpc::StatusCode::OK ? 1 : 0;
    if (num_answered++ == 0) first.set_value(code);
  };
  std::future<void> one = std::async(std::launch::async, call);
  std::future<void> two = std::async(std::launch::async, call);
  EXPECT_EQ(refused.get(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  release.count_down();
  one.get();
  two.get();
  EXPECT_EQ(busy.get(), grpc::StatusCode::OK);
  EXPECT_EQ(num_ok, 1) << "the call that waited is judged";
}

TEST_F(RewardServiceTest, JudgesOnAllItsThreads) {
  Start(/*num_threads=*/3, /*max_queued=*/16);
  std::latch all_in(3);  // opens only when three calls are judged at the same time
  Serve([&](const v1::ScoreRequest&) {
    all_in.arrive_and_wait();
    return v1::ScoreReply();
  });
  std::future<grpc::StatusCode> calls[] = {ScoreLater(), ScoreLater(), ScoreLater()};
  for (std::future<grpc::StatusCode>& call : calls) EXPECT_EQ(call.get(), grpc::StatusCode::OK);
}

TEST_F(RewardServiceTest, FinishesWhatWaitsWhenItEnds) {
  Start(/*num_threads=*/1, /*max_queued=*/16);
  std::latch entered(1);
  std::latch release(1);
  std::atomic<bool> is_first{true};
  Serve([&](const v1::ScoreRequest&) {
    if (is_first.exchange(false)) entered.count_down();
    release.wait();
    return v1::ScoreReply();
  });
  std::future<grpc::StatusCode> busy = ScoreLater();
  entered.wait();
  std::future<grpc::StatusCode> waiting = ScoreLater();
  std::future<void> end = std::async(std::launch::async, [this] {
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::minutes(1));
  });
  release.count_down();
  end.get();
  EXPECT_EQ(busy.get(), grpc::StatusCode::OK);
  waiting.get();  // came in time or not; it must not hang
}

TEST(ScoreReactor, LeavesCallsAloneWhoseCallerGaveUp) {
  const v1::ScoreRequest request = RequestOf({kRight});
  v1::ScoreReply reply;
  int num_judged = 0;
  const JudgedRun run{.run_id = kRunId, .attempt = kAttempt, .score = [&](const v1::ScoreRequest&) {
                        ++num_judged;
                        return v1::ScoreReply();
                      }};
  ScoreReactor wanted(request, &reply);  // never handed to gRPC, so it lives here
  wanted.Run(run);
  EXPECT_EQ(num_judged, 1);
  ScoreReactor unwanted(request, &reply);
  unwanted.OnCancel();
  unwanted.Run(run);
  EXPECT_EQ(num_judged, 1);
}

}  // namespace
}  // namespace ponder
