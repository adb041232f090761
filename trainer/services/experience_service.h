// The RPCs of v1.Experience, from messages to the host and back.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "core/base/wire.h"
#include "ponder/v1/experience.grpc.pb.h"
#include "trainer/services/experience_host.h"

namespace ponder {

// What Register tells a newcomer.
struct RunDescription {
  std::string run_id;
  uint32_t attempt = 0;
  std::string experiment_yaml;
  std::string kernel_path;
  uint64_t session_timeout_ms = 0;
};

// Immutable; thread safe. No method blocks.
class ExperienceService final : public v1::Experience::CallbackService {
 public:
  // The newest format of messages that this program speaks.
  static constexpr uint32_t kFormatVersion = 1;

  // `host` is borrowed and outlives the server.
  ExperienceService(RunDescription run, const WireLimits& limits, RewardSets reward_sets,
                    ExperienceHost& host);

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context,
                                     const v1::RegisterRequest* request,
                                     v1::RegisterReply* reply) override;
  grpc::ServerUnaryReactor* RenewLeases(grpc::CallbackServerContext* context,
                                        const v1::RenewLeasesRequest* request,
                                        v1::RenewLeasesReply* reply) override;
  grpc::ServerUnaryReactor* AcquirePrompts(grpc::CallbackServerContext* context,
                                           const v1::AcquirePromptsRequest* request,
                                           v1::AcquirePromptsReply* reply) override;
  grpc::ServerReadReactor<v1::SubmitGroupRequest>* SubmitGroup(
      grpc::CallbackServerContext* context, v1::SubmitGroupReply* reply) override;

 private:
  // The newcomer, if it may take part: throws ProtocolError on a message that breaks the contract
  // and Error(kConfig) on a program that cannot work with this run.
  Session CheckNewcomer(const v1::RegisterRequest& request) const;

  const RunDescription run_;
  const WireLimits limits_;
  const RewardSets reward_sets_;
  ExperienceHost& host_;
};

}  // namespace ponder
