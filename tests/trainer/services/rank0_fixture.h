// A Rank0Server on a loopback port, and workers that talk to it over real RPCs.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "ponder/v1/experience.grpc.pb.h"
#include "ponder/v1/model.grpc.pb.h"
#include "trainer/services/rank0_server.h"

namespace ponder::testing {

inline constexpr uint16_t kStream = 3;
inline constexpr uint16_t kEvaluationStream = 9;
inline constexpr uint32_t kVocabSize = 10;
inline constexpr uint32_t kNumSamples = 2;
inline const char* const kRunId = "run-1";
inline constexpr uint32_t kAttempt = 4;

// A group that keeps every rule of `lease`.
std::vector<v1::Trajectory> GoodTrajectories(const v1::PromptLease& lease);
v1::SubmitGroupHeader GoodHeader(const std::string& session, const v1::PromptLease& lease);
std::vector<uint64_t> OrdinalsOf(const v1::AcquirePromptsReply& reply);
uint64_t OrdinalOf(uint64_t index, uint16_t stream = kStream);

// A program that calls the trainer. Calls block; every one has a deadline, far beyond what it
// takes.
class TestPeer {
 public:
  TestPeer(int port, std::string session, std::string name);

  grpc::Status RegisterAsWorker(v1::RegisterReply* reply = nullptr);
  grpc::Status RegisterAsReward(const std::string& address);
  grpc::Status Register(const v1::RegisterRequest& request, v1::RegisterReply* reply);
  v1::RegisterRequest WorkerRequest() const;
  // `context`: of the caller, so that it can cancel.
  grpc::Status Acquire(uint64_t seq, uint32_t max_groups, v1::AcquirePromptsReply* reply,
                       uint64_t peers_version = 0, grpc::ClientContext* context = nullptr);
  grpc::Status Renew(const std::vector<uint64_t>& lease_ids, v1::RenewLeasesReply* reply);
  grpc::Status Submit(const v1::PromptLease& lease, v1::SubmitGroupReply* reply);
  // Sends the messages as they are, then half-closes.
  grpc::Status SubmitRaw(const std::vector<v1::SubmitGroupRequest>& messages,
                         v1::SubmitGroupReply* reply);
  // Reads a whole transfer.
  grpc::Status GetWeights(const ModelIdentity& identity, uint64_t have,
                          std::vector<v1::WeightChunk>* chunks);

  const std::string& session() const { return session_; }
  v1::Experience::Stub& experience() { return *experience_; }
  v1::Model::Stub& model() { return *model_; }

 private:
  const std::string session_;
  const std::string name_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Experience::Stub> experience_;
  std::unique_ptr<v1::Model::Stub> model_;
};

// Sets a deadline far beyond what any call of a test takes.
void SetTestDeadline(grpc::ClientContext* context);

class Rank0Test : public ::testing::Test {
 protected:
  Rank0Test();

  static Rank0Options DefaultOptions();
  void StartServer(const Rank0Options& options);
  SnapshotPtr MakeSnapshot(uint64_t version, size_t num_floats = 8) const;
  // Publishes version 1 and begins a stage of `num_steps` steps with `slots` slots.
  void BeginStage(int64_t num_steps, int64_t slots);
  // Returns when `num_polls` long polls wait in the server.
  void WaitUntilParked(size_t num_polls) const;
  TestPeer Worker(const std::string& session, const std::string& name);
  // A registered worker.
  TestPeer Join(const std::string& session, const std::string& name);

  FakeClock clock_;
  Log log_{"trainer", 0, LogLevel::kError};
  std::unique_ptr<Rank0Server> server_;
};

}  // namespace ponder::testing
