#include "core/base/rpc.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <thread>

#include "ponder/v1/reward.grpc.pb.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kDeadline{60'000};
const RetryPolicy kFast{
    .max_tries = 4, .first_backoff = milliseconds(1), .max_backoff = milliseconds(2)};
bool NeverStop() { return false; }

// Answers with the statuses of a list, one a call, the last one for ever.
class FakeCall {
 public:
  explicit FakeCall(std::vector<grpc::Status> statuses) : statuses_(std::move(statuses)) {}

  grpc::Status operator()(grpc::ClientContext& context) {
    deadlines_.push_back(context.deadline());
    const size_t index = std::min(static_cast<size_t>(num_calls_++), statuses_.size() - 1);
    return statuses_[index];
  }
  int num_calls() const { return num_calls_; }
  const std::vector<std::chrono::system_clock::time_point>& deadlines() const { return deadlines_; }

 private:
  std::vector<grpc::Status> statuses_;
  std::vector<std::chrono::system_clock::time_point> deadlines_;
  int num_calls_ = 0;
};

grpc::Status Retry(FakeCall& call, const std::function<bool()>& stop = NeverStop) {
  return CallWithRetry(kFast, kDeadline, stop, std::ref(call));
}

const grpc::Status kAway(grpc::UNAVAILABLE, "away");

TEST(CallWithRetry, ReturnsTheFirstSuccess) {
  FakeCall call({kAway, {grpc::DEADLINE_EXCEEDED, "late"}, grpc::Status::OK});
  EXPECT_TRUE(Retry(call).ok());
  EXPECT_EQ(call.num_calls(), 3);
}

TEST(CallWithRetry, GivesUpAfterMaxTriesWithTheLastStatus) {
  FakeCall call({kAway, kAway, kAway, {grpc::RESOURCE_EXHAUSTED, "busy"}});
  EXPECT_EQ(Retry(call).error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(call.num_calls(), kFast.max_tries);
}

TEST(CallWithRetry, MakesEveryTryWithADeadlineOfItsOwn) {
  const auto begin = std::chrono::system_clock::now();
  FakeCall call({kAway, grpc::Status::OK});
  Retry(call);
  ASSERT_EQ(call.deadlines().size(), 2u);
  EXPECT_GE(call.deadlines()[0], begin + kDeadline);
  EXPECT_GE(call.deadlines()[1], call.deadlines()[0]);
}

TEST(CallWithRetry, NeverRepeatsWhatTheTableDoesNotRetry) {
  for (const grpc::StatusCode code :
       {grpc::INVALID_ARGUMENT, grpc::FAILED_PRECONDITION, grpc::INTERNAL, grpc::UNKNOWN,
        grpc::NOT_FOUND, grpc::ABORTED, grpc::DATA_LOSS, grpc::UNIMPLEMENTED}) {
    FakeCall call({{code, "no"}, grpc::Status::OK});
    EXPECT_EQ(Retry(call).error_code(), code);
    EXPECT_EQ(call.num_calls(), 1) << "code " << code;
  }
}

TEST(CallWithRetry, ComesBackToAPeerThatWasShuttingDown) {
  FakeCall call({{grpc::CANCELLED, "the server shuts down"}, grpc::Status::OK});
  EXPECT_TRUE(Retry(call).ok());
  EXPECT_EQ(call.num_calls(), 2);
}

TEST(CallWithRetry, MakesNoFurtherTryOnceStopped) {
  FakeCall call({kAway});
  EXPECT_EQ(Retry(call, [] { return true; }).error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(call.num_calls(), 1);

  // Stopped while it waits for the second try, which would take an hour.
  const RetryPolicy slow{
      .max_tries = 2, .first_backoff = std::chrono::hours(1), .max_backoff = std::chrono::hours(1)};
  int num_questions = 0;
  FakeCall waiting({kAway});
  CallWithRetry(
      slow, kDeadline, [&] { return ++num_questions > 3; }, std::ref(waiting));
  EXPECT_EQ(waiting.num_calls(), 1);
}

TEST(StatusOf, CarriesCodeAndNameOfTheCondition) {
  const grpc::Status status = StatusOf(Error(Condition::kConfig, "no such stage"));
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "no such stage");
  EXPECT_EQ(status.error_details(), "config");
  EXPECT_EQ(StatusOf(std::out_of_range("map::at")).error_code(), grpc::INTERNAL);
}

TEST(StatusOf, CutsATextThatHeadersCouldNotCarry) {
  const grpc::Status status = StatusOf(ProtocolError(std::string(100'000, 'x')));
  EXPECT_LT(status.error_message().size(), 4096u);
}

TEST(HandleRpc, TurnsExceptionsIntoStatuses) {
  EXPECT_TRUE(HandleRpc([] {}).ok());
  EXPECT_EQ(HandleRpc([] { throw ProtocolError("bad"); }).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(HandleRpc([] { throw std::runtime_error("bug"); }).error_code(), grpc::INTERNAL);
}

TEST(ThrowIfFailed, GivesTheConditionBackThatThePeerThrew) {
  for (int value = 0; value <= static_cast<int>(Condition::kInternal); ++value) {
    const auto condition = static_cast<Condition>(value);
    try {
      ThrowIfFailed(StatusOf(Error(condition, "why")), "Reward.Score", "127.0.0.1:7");
      ADD_FAILURE() << RowOf(condition).name << ": nothing was thrown";
    } catch (const RpcError& error) {
      EXPECT_EQ(error.condition(), condition);
      EXPECT_EQ(error.what(), "Reward.Score at 127.0.0.1:7 failed (" +
                                  std::string(RowOf(condition).name) + "): why");
    }
  }
  EXPECT_NO_THROW(ThrowIfFailed(grpc::Status::OK, "Reward.Score", "127.0.0.1:7"));
}

TEST(ThrowIfFailed, TakesTheCodeWhenThePeerNamedNoCondition) {
  try {
    ThrowIfFailed({grpc::UNAVAILABLE, "connection refused", "something else"}, "M", "p");
    FAIL() << "nothing was thrown";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kUnavailable);
  }
}

TEST(IsLoopback, KnowsTheAddressesOfThisMachine) {
  for (const char* address : {"127.0.0.1:50051", "127.0.0.1", "127.8.8.8:1", "localhost:0",
                              "localhost", "[::1]:50051", "::1", "unix:/tmp/socket"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:50051", "[::]:50051", "10.0.0.1:1", "128.0.0.1:1", "example.org:1",
        "127.example.org:1", "127.0.0.1.example.org:1", "localhost.example.org:1", ":50051", "",
        "dns:///127.0.0.1.example.org", "[2001:db8::1]:1"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

// Empty when a server may listen there.
std::string ProblemOfListening(const std::string& address, bool allow_remote) {
  try {
    CheckListenAddress(address, allow_remote);
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kUsage);
    return error.what();
  }
  return {};
}

TEST(CheckListenAddress, KeepsServersOnThisMachineUnlessAllowed) {
  EXPECT_EQ(ProblemOfListening("127.0.0.1:0", false), "");
  EXPECT_EQ(ProblemOfListening("[::1]:5005", false), "");
  for (const char* address : {"0.0.0.0:5005", "[::]:5005", "10.0.0.1:0", "node7:5005"}) {
    EXPECT_THAT(ProblemOfListening(address, false), HasSubstr("--insecure-allow-remote"));
    EXPECT_EQ(ProblemOfListening(address, true), "") << address;
  }
  EXPECT_THAT(ProblemOfListening("5005", true), HasSubstr("expected HOST:PORT, got '5005'"));
}

TEST(TcpChannelFactory, RefusesToLeaveTheMachineUnlessAllowed) {
  TcpChannelFactory careful(/*allow_remote=*/false);
  EXPECT_NE(careful.Connect("127.0.0.1:1"), nullptr);
  try {
    careful.Connect("10.0.0.1:50051");
    FAIL() << "a remote address was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("10.0.0.1:50051"));
    EXPECT_THAT(error.what(), HasSubstr("--insecure-allow-remote"));
  }
  TcpChannelFactory trusting(/*allow_remote=*/true);
  EXPECT_NE(trusting.Connect("10.0.0.1:50051"), nullptr);
}

// Echoes the run id; throws what its text says.
class EchoService : public v1::Reward::Service {
 public:
  grpc::Status Score(grpc::ServerContext*, const v1::ScoreRequest* request,
                     v1::ScoreReply* reply) override {
    return HandleRpc([&] {
      if (request->run_id() == "bad") throw Error(Condition::kBadData, "the gold is unusable");
      (*reply->mutable_model_digests())["run"] = request->run_id();
    });
  }
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(&service_);
    server_ = StartServer(builder, "127.0.0.1:0", &port_);
    TcpChannelFactory factory(/*allow_remote=*/false);
    stub_ = v1::Reward::NewStub(factory.Connect("127.0.0.1:" + std::to_string(port_)));
  }
  ~ServerTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status Score(const v1::ScoreRequest& request, v1::ScoreReply* reply) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    context.set_wait_for_ready(true);
    return stub_->Score(&context, request, reply);
  }

  EchoService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Reward::Stub> stub_;
};

TEST_F(ServerTest, AnswersOnThePortThatItPicked) {
  ASSERT_GT(port_, 0);
  v1::ScoreRequest request;
  request.set_run_id("quick");
  v1::ScoreReply reply;
  ASSERT_TRUE(Score(request, &reply).ok());
  EXPECT_EQ(reply.model_digests().at("run"), "quick");
}

TEST_F(ServerTest, SendsTheConditionOfAnErrorOverTheWire) {
  v1::ScoreRequest request;
  request.set_run_id("bad");
  v1::ScoreReply reply;
  try {
    ThrowIfFailed(Score(request, &reply), "Reward.Score", "the service");
    FAIL() << "nothing was thrown";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("the gold is unusable"));
  }
}

TEST_F(ServerTest, TakesMessagesUpToTheLimitAndNoLarger) {
  constexpr size_t kOverhead = 1024;
  v1::ScoreRequest request;
  v1::ScoreReply reply;
  request.set_reward_set(std::string(kMaxMessageBytes - kOverhead, 'x'));
  EXPECT_TRUE(Score(request, &reply).ok());
  request.set_reward_set(std::string(kMaxMessageBytes + kOverhead, 'x'));
  EXPECT_EQ(Score(request, &reply).error_code(), grpc::RESOURCE_EXHAUSTED);
}

TEST_F(ServerTest, RefusesAPortThatIsInUse) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  EchoService service;
  builder.RegisterService(&service);
  int port = 0;
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  try {
    StartServer(builder, address, &port);
    FAIL() << "two servers share " << address;
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kIo);
    EXPECT_THAT(error.what(), HasSubstr("cannot listen on " + address));
    EXPECT_THAT(error.what(), HasSubstr("port"));
  }
}

}  // namespace
}  // namespace ponder
