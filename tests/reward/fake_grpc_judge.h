// A server of ponder.v1.UserReward that answers as a test says.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "ponder/v1/user_reward.grpc.pb.h"
// After gRPC's headers.
#include "core/base/rpc.h"

namespace ponder::testing {

// 1 for each response whose last word is the reference.
inline google::protobuf::RepeatedField<double> LastWordScores(const v1::JudgeRequest& request) {
  google::protobuf::RepeatedField<double> scores;
  for (const std::string& response : request.responses()) {
    scores.Add((" " + response).ends_with(" " + request.reference()) ? 1 : 0);
  }
  return scores;
}

// Listens on a free port of the loopback interface while it lives.
class FakeGrpcJudge final : public v1::UserReward::Service {
 public:
  using Answer = std::function<grpc::Status(const v1::JudgeRequest&, v1::JudgeReply*)>;

  // `answer` is called by several threads.
  explicit FakeGrpcJudge(Answer answer) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    int port = 0;
    server_ = StartServer(builder, "127.0.0.1:0", &port);
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~FakeGrpcJudge() override {
    ending_ = true;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
    server_->Wait();
  }

  const std::string& address() const { return address_; }
  int num_calls() const { return num_calls_; }
  // Blocks until this is being destroyed.
  void WaitForEnd() const {
    while (!ending_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  grpc::Status Judge(grpc::ServerContext* /*context*/, const v1::JudgeRequest* request,
                     v1::JudgeReply* reply) override {
    ++num_calls_;
    return answer_(*request, reply);
  }

 private:
  const Answer answer_;
  std::string address_;
  std::atomic<int> num_calls_{0};
  std::atomic<bool> ending_{false};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ponder::testing
