// The RPCs of v1.Model.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>

#include "ponder/v1/model.grpc.pb.h"
#include "trainer/services/experience_host.h"
#include "trainer/services/snapshot_store.h"

namespace ponder {

// Immutable; thread safe. No method blocks.
class ModelService final : public v1::Model::CallbackService {
 public:
  // `host` (for the sessions) and `store` are borrowed and outlive the server.
  ModelService(std::string run_id, uint32_t attempt, const ExperienceHost& host,
               SnapshotStore& store);

  grpc::ServerWriteReactor<v1::ModelInfo>* Watch(grpc::CallbackServerContext* context,
                                                 const v1::WatchRequest* request) override;
  grpc::ServerWriteReactor<v1::WeightChunk>* GetWeights(
      grpc::CallbackServerContext* context, const v1::GetWeightsRequest* request) override;

 private:
  // The snapshot to send, or why not: another run or attempt is FAILED_PRECONDITION (register
  // again), a version that is gone NOT_FOUND, another digest or an impossible `have`
  // INVALID_ARGUMENT.
  grpc::Status FindSnapshot(const v1::GetWeightsRequest& request, SnapshotPtr* snapshot) const;

  const std::string run_id_;
  const uint32_t attempt_;
  const ExperienceHost& host_;
  SnapshotStore& store_;
};

}  // namespace ponder
