#include "trainer/services/acquire_reactor.h"

#include <string>
#include <utility>

#include "core/base/rpc.h"
#include "core/base/wire.h"
#include "trainer/services/peers.h"

namespace ponder {
namespace {

constexpr uint32_t kMaxGroups = 64;

}  // namespace

void AcquireReactor::Start(const v1::AcquirePromptsRequest& request) {
  const grpc::Status status = HandleRpc([&] {
    if (request.max_groups() < 1 || request.max_groups() > kMaxGroups) {
      throw ProtocolError("AcquirePromptsRequest.max_groups: expected 1 to " +
                          std::to_string(kMaxGroups) + ", got " +
                          std::to_string(request.max_groups()));
    }
  });
  if (!status.ok()) {
    Finish(status);
    return;
  }
  host_.Poll(this, {.session = request.session(),
                    .seq = request.seq(),
                    .max_groups = request.max_groups(),
                    .peers_version = request.peers_version()});
}

void AcquireReactor::Answer(PollAnswer answer) {
  Finish(HandleRpc([&] {
    if (answer.error) std::rethrow_exception(answer.error);
    for (const PromptLease& lease : answer.leases) *reply_->add_leases() = ToWire(lease);
    SetPeers(answer.peers, reply_);
    reply_->set_run_ended(answer.run_ended);
  }));
}

}  // namespace ponder
