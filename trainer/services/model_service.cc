#include "trainer/services/model_service.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/rpc.h"
#include "core/base/wire.h"
#include "trainer/services/watch_reactor.h"
#include "trainer/services/weights_reactor.h"

namespace ponder {
namespace {

// A stream that ends at once.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::ModelInfo> {
 public:
  explicit RefusedWatch(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

ModelService::ModelService(std::string run_id, uint32_t attempt, const ExperienceHost& host,
                           SnapshotStore& store)
    : run_id_(std::move(run_id)), attempt_(attempt), host_(host), store_(store) {}

grpc::ServerWriteReactor<v1::ModelInfo>* ModelService::Watch(
    grpc::CallbackServerContext* /*context*/, const v1::WatchRequest* request) {
  grpc::Status status = HandleRpc([&] { host_.RequireSession(request->session()); });
  if (!status.ok()) return new RefusedWatch(status);
  return WatchReactor::Start(store_, request->model());
}

grpc::ServerWriteReactor<v1::WeightChunk>* ModelService::GetWeights(
    grpc::CallbackServerContext* /*context*/, const v1::GetWeightsRequest* request) {
  SnapshotPtr snapshot;
  const grpc::Status status = FindSnapshot(*request, &snapshot);
  return new WeightsReactor(status, std::move(snapshot), request->have());
}

grpc::Status ModelService::FindSnapshot(const v1::GetWeightsRequest& request,
                                        SnapshotPtr* snapshot) const {
  ModelIdentity wanted;
  grpc::Status status = HandleRpc([&] {
    host_.RequireSession(request.session());
    wanted = FromWire(request.identity());
    if (wanted.run_id != run_id_ || wanted.attempt != attempt_) {
      throw Error(
          Condition::kUnknownSession,
          fmt::format("getting weights: expected run '{}', attempt {}, got run '{}', attempt "
                      "{} (the trainer started again: register again)",
                      run_id_, attempt_, wanted.run_id, wanted.attempt));
    }
    *snapshot = store_.Find(wanted.model, wanted.version);
    if (*snapshot == nullptr) return;
    const ModelIdentity& found = (*snapshot)->identity;
    if (found.digest != wanted.digest) {
      throw ProtocolError(
          fmt::format("getting weights of version {} of '{}': expected digest {}, got {}",
                      wanted.version, wanted.model, found.digest, wanted.digest));
    }
    if (request.have() > (*snapshot)->bytes.size()) {
      throw ProtocolError(fmt::format("GetWeightsRequest.have: expected at most {} bytes, got {}",
                                      (*snapshot)->bytes.size(), request.have()));
    }
  });
  if (status.ok() && *snapshot == nullptr) {
    return {grpc::StatusCode::NOT_FOUND,
            fmt::format("getting weights: version {} of '{}' is not available any more, or not yet",
                        wanted.version, wanted.model)};
  }
  return status;
}

}  // namespace ponder
