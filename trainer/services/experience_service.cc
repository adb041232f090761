#include "trainer/services/experience_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/rpc.h"
#include "trainer/services/acquire_reactor.h"
#include "trainer/services/peers.h"
#include "trainer/services/submit_reactor.h"

namespace ponder {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr int kMaxRenewedLeases = 4096;

void CheckName(const std::string& value, const char* field) {
  if (value.empty() || value.size() > kMaxNameBytes) {
    throw ProtocolError(fmt::format("RegisterRequest.{}: expected 1 to {} bytes, got {}", field,
                                    kMaxNameBytes, value.size()));
  }
}

std::string Join(const google::protobuf::RepeatedPtrField<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

}  // namespace

ExperienceService::ExperienceService(RunDescription run, const WireLimits& limits,
                                     RewardSets reward_sets, ExperienceHost& host)
    : run_(std::move(run)), limits_(limits), reward_sets_(std::move(reward_sets)), host_(host) {}

Session ExperienceService::CheckNewcomer(const v1::RegisterRequest& request) const {
  CheckName(request.session(), "session");
  CheckName(request.name(), "name");
  if (request.format_version() > kFormatVersion) {
    throw Error(Condition::kConfig,
                fmt::format("registering '{}': expected message format at most {}, got {} (the "
                            "caller's program is newer than the trainer's)",
                            request.name(), kFormatVersion, request.format_version()));
  }
  Session session{.id = request.session(),
                  .role = SessionRole::kWorker,
                  .name = request.name(),
                  .address = request.address(),
                  .last_seen = {}};
  switch (request.role()) {
    case v1::ROLE_WORKER: {
      const auto& paths = request.kernel_paths();
      if (std::find(paths.begin(), paths.end(), run_.kernel_path) == paths.end()) {
        throw Error(Condition::kConfig,
                    fmt::format("registering worker '{}': expected one that can run kernel path "
                                "'{}', which this run uses, got {}",
                                request.name(), run_.kernel_path, Join(paths)));
      }
      break;
    }
    case v1::ROLE_REWARD:
      CheckName(request.address(), "address");
      session.role = SessionRole::kReward;
      break;
    default:
      throw ProtocolError(fmt::format("RegisterRequest.role: expected worker or reward, got {}",
                                      static_cast<int>(request.role())));
  }
  return session;
}

grpc::ServerUnaryReactor* ExperienceService::Register(grpc::CallbackServerContext* context,
                                                      const v1::RegisterRequest* request,
                                                      v1::RegisterReply* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(HandleRpc([&] {
    PONDER_FAILPOINT("trainer.register");
    SetPeers(host_.Register(CheckNewcomer(*request)), reply->mutable_peers());
    reply->set_run_id(run_.run_id);
    reply->set_attempt(run_.attempt);
    reply->set_experiment_yaml(run_.experiment_yaml);
    reply->set_kernel_path(run_.kernel_path);
    reply->set_session_timeout_ms(run_.session_timeout_ms);
  }));
  return reactor;
}

grpc::ServerUnaryReactor* ExperienceService::RenewLeases(grpc::CallbackServerContext* context,
                                                         const v1::RenewLeasesRequest* request,
                                                         v1::RenewLeasesReply* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(HandleRpc([&] {
    if (request->lease_ids_size() > kMaxRenewedLeases) {
      throw ProtocolError(fmt::format("RenewLeasesRequest.lease_ids: expected at most {}, got {}",
                                      kMaxRenewedLeases, request->lease_ids_size()));
    }
    const RenewAnswer answer =
        host_.Renew(request->session(), {request->lease_ids().begin(), request->lease_ids().end()},
                    request->peers_version());
    for (const uint64_t lease_id : answer.lost_lease_ids) reply->add_lost_lease_ids(lease_id);
    SetPeers(answer.peers, reply);
    reply->set_run_ended(answer.run_ended);
  }));
  return reactor;
}

grpc::ServerUnaryReactor* ExperienceService::AcquirePrompts(
    grpc::CallbackServerContext* /*context*/, const v1::AcquirePromptsRequest* request,
    v1::AcquirePromptsReply* reply) {
  auto* reactor = new AcquireReactor(host_, reply);
  reactor->Start(*request);
  return reactor;
}

grpc::ServerReadReactor<v1::SubmitGroupRequest>* ExperienceService::SubmitGroup(
    grpc::CallbackServerContext* context, v1::SubmitGroupReply* reply) {
  return new SubmitReactor(host_, limits_, reward_sets_, *context, reply);
}

}  // namespace ponder
