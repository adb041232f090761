#include "core/base/session_client.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/program.h"

namespace ponder {
namespace {

constexpr auto kUnaryDeadline = std::chrono::seconds(5);
constexpr auto kRegisterPause = std::chrono::milliseconds(200);
constexpr uint32_t kFormatVersion = 1;
constexpr auto kMaxHeartbeatPeriod = std::chrono::milliseconds(1000);
constexpr int kHeartbeatsPerTimeout = 3;
// A trainer that is away for this many session timeouts is taken for restarted.
constexpr int kTimeoutsUntilLost = 2;

}  // namespace

SessionClient::SessionClient(std::shared_ptr<grpc::Channel> channel, const SessionOptions& options,
                             std::chrono::milliseconds connect_timeout, std::function<bool()> stop,
                             std::function<std::vector<uint64_t>()> held,
                             std::function<void(const std::vector<uint64_t>&)> lost, const Log& log)
    : stub_(v1::Experience::NewStub(std::move(channel))),
      stop_(std::move(stop)),
      held_(std::move(held)),
      lost_(std::move(lost)),
      log_(log),
      session_(RandomId()) {
  Register(options, connect_timeout);
  thread_ = std::thread([this] { Run(); });
}

SessionClient::~SessionClient() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void SessionClient::Register(const SessionOptions& options,
                             std::chrono::milliseconds connect_timeout) {
  v1::RegisterRequest request;
  request.set_role(options.role);
  request.set_session(session_);
  request.set_name(options.name);
  request.set_address(options.address);
  for (const std::string& path : options.kernel_paths) request.add_kernel_paths(path);
  request.set_format_version(kFormatVersion);
  PONDER_FAILPOINT(options.role == v1::ROLE_WORKER ? "rollout.register" : "reward.register");

  const auto begin = std::chrono::steady_clock::now();
  v1::RegisterReply reply;
  while (true) {
    if (stop_()) throw Error(Condition::kInterrupted, "stopped before the trainer answered");
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
    const grpc::Status status = stub_->Register(&context, request, &reply);
    if (status.ok()) break;
    if (!IsRetried(status)) ThrowIfFailed(status, "Experience.Register", "the trainer");
    if (std::chrono::steady_clock::now() - begin >= connect_timeout) {
      throw RpcError(Condition::kUnavailable, "Experience.Register of '" + options.name +
                                                  "': expected the trainer to answer within " +
                                                  std::to_string(connect_timeout.count() / 1000) +
                                                  " s, got: " + status.error_message() +
                                                  " (is it running, and is this its address?)");
    }
    std::this_thread::sleep_for(kRegisterPause);
  }
  if (reply.session_timeout_ms() == 0) {
    throw ProtocolError("RegisterReply.session_timeout_ms: expected more than 0, got 0");
  }
  registration_ = {reply.run_id(), reply.attempt(), reply.experiment_yaml(), reply.kernel_path()};
  session_timeout_ = std::chrono::milliseconds(reply.session_timeout_ms());
  NotePeers(reply.peers().version(), &reply.peers());
}

void SessionClient::Run() {
  const auto period = std::clamp(session_timeout_ / kHeartbeatsPerTimeout,
                                 std::chrono::milliseconds(1), kMaxHeartbeatPeriod);
  auto last_answer = std::chrono::steady_clock::now();
  try {
    while (!lost_session_ && !run_ended_) {
      {
        MutexLock lock(mutex_);
        if (!ending_) wake_.WaitFor(mutex_, period);
        if (ending_) return;
      }
      Renew(&last_answer);
    }
  } catch (const std::exception& error) {
    log_.Error("the heartbeat failed, registering again: " + std::string(error.what()));
    lost_session_ = true;
  }
}

void SessionClient::Renew(std::chrono::steady_clock::time_point* last_answer) {
  v1::RenewLeasesRequest request;
  request.set_session(session_);
  request.set_peers_version(peers_version());
  for (const uint64_t id : held_()) request.add_lease_ids(id);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kUnaryDeadline);
  v1::RenewLeasesReply reply;
  const grpc::Status status = stub_->RenewLeases(&context, request, &reply);
  const auto now = std::chrono::steady_clock::now();
  if (status.ok()) {
    *last_answer = now;
    NotePeers(reply.peers_version(), reply.has_peers() ? &reply.peers() : nullptr);
    lost_({reply.lost_lease_ids().begin(), reply.lost_lease_ids().end()});
    if (reply.run_ended()) run_ended_ = true;
  } else if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION ||
             now - *last_answer > kTimeoutsUntilLost * session_timeout_) {
    log_.Warning("the session with the trainer is lost (" + status.error_message() +
                 "); registering again");
    lost_session_ = true;
  }
}

std::vector<std::string> SessionClient::reward_peers() const {
  MutexLock lock(mutex_);
  return peers_;
}

uint64_t SessionClient::peers_version() const {
  MutexLock lock(mutex_);
  return peers_version_;
}

void SessionClient::NotePeers(uint64_t version, const v1::Peers* peers) {
  MutexLock lock(mutex_);
  if (peers == nullptr || version < peers_version_) return;
  peers_version_ = version;
  peers_.assign(peers->reward_addresses().begin(), peers->reward_addresses().end());
}

}  // namespace ponder
