// One Experience.SubmitGroup stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>

#include "core/base/wire.h"
#include "ponder/v1/experience.grpc.pb.h"
#include "trainer/services/experience_host.h"

namespace ponder {

// Reads a header and its trajectories, checks them against the lease, and commits when the caller
// half-closes. A stream that breaks off or that breaks a rule leaves nothing behind. Messages of a
// submit that is stale or a duplicate are read and thrown away. Deletes itself when the call is
// done.
class SubmitReactor final : public grpc::ServerReadReactor<v1::SubmitGroupRequest> {
 public:
  // Most bytes of one group.
  static constexpr uint64_t kMaxGroupBytes = uint64_t{256} << 20;

  // `reply` and `context` are gRPC's, `host` and `reward_sets` borrowed.
  SubmitReactor(ExperienceHost& host, const WireLimits& limits, const RewardSets& reward_sets,
                const grpc::CallbackServerContext& context, v1::SubmitGroupReply* reply);

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  // All three throw on what breaks the contract.
  void TakeHeader(const v1::SubmitGroupHeader& header);
  void TakeTrajectory(const v1::Trajectory& message);
  void Commit();

  ExperienceHost& host_;
  const WireLimits limits_;
  const RewardSets& reward_sets_;
  const grpc::CallbackServerContext& context_;
  v1::SubmitGroupReply* const reply_;
  v1::SubmitGroupRequest message_;  // owned by the read in progress
  v1::SubmitGroupHeader header_;
  bool has_header_ = false;
  bool is_live_ = false;  // the lease was the session's to submit when the header came
  uint32_t num_received_ = 0;
  uint64_t num_bytes_ = 0;
  TrajectoryGroup group_;
};

}  // namespace ponder
