// The side of Experience that sessions talk to, for tests: registers everybody, and forgets,
// refuses and ends on request.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/rpc.h"
#include "ponder/v1/experience.grpc.pb.h"
// After gRPC's headers.
#include "core/base/mutex.h"

namespace ponder::testing {

// Waits until `condition` holds; false when that takes a minute.
inline bool WaitUntil(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// Thread safe but for Start and Stop, which one thread calls. Keeps its port over both.
class FakeTrainer : public v1::Experience::Service {
 public:
  // `others`: served on the same port; borrowed.
  explicit FakeTrainer(std::vector<grpc::Service*> others = {}) : others_(std::move(others)) {
    reply_.set_run_id("run-1");
    reply_.set_attempt(1);
    reply_.set_kernel_path("aten_f32");
    reply_.set_session_timeout_ms(60);
    Start();
  }
  ~FakeTrainer() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(this);
    for (grpc::Service* other : others_) builder.RegisterService(other);
    int port = 0;
    server_ = StartServer(builder, "127.0.0.1:" + std::to_string(port_), &port);
    // Written once, so that threads may connect while the trainer is started again.
    if (port_ == 0) port_ = port;
  }

  // Goes away: calls fail until Start.
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
    ForgetSessions();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::shared_ptr<grpc::Channel> Connect() const {
    return TcpChannelFactory(/*allow_remote=*/false).Connect(address());
  }

  // What registration answers from now on.
  void Answer(const v1::RegisterReply& reply) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    reply_ = reply;
  }
  v1::RegisterReply answer() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return reply_;
  }
  // Refuses registrations with `status` from now on.
  void Refuse(const grpc::Status& status) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    refusal_ = status;
  }
  // What the next renewals answer; then again an empty reply.
  void AnswerRenewal(const v1::RenewLeasesReply& reply) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    renewal_ = reply;
  }
  // Renewals fail with `status` until it is OK again.
  void FailRenewals(const grpc::Status& status) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    renewal_failure_ = status;
  }
  void ForgetSessions() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    sessions_.clear();
  }

  std::vector<v1::RegisterRequest> registrations() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return registrations_;
  }
  // The last renewal of a known session, and how many there were.
  v1::RenewLeasesRequest last_renewal() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return last_renewal_;
  }
  int num_renewals() const { return num_renewals_; }

  grpc::Status Register(grpc::ServerContext* /*context*/, const v1::RegisterRequest* request,
                        v1::RegisterReply* reply) override EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    registrations_.push_back(*request);
    if (!refusal_.ok()) return refusal_;
    sessions_.insert(request->session());
    *reply = reply_;
    return grpc::Status::OK;
  }

  grpc::Status RenewLeases(grpc::ServerContext* /*context*/, const v1::RenewLeasesRequest* request,
                           v1::RenewLeasesReply* reply) override EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++num_renewals_;
    if (!renewal_failure_.ok()) return renewal_failure_;
    if (sessions_.count(request->session()) == 0) {
      return StatusOf(Error(Condition::kUnknownSession, "unknown session"));
    }
    last_renewal_ = *request;
    if (renewal_) *reply = *renewal_;
    renewal_.reset();
    return grpc::Status::OK;
  }

 protected:
  bool Knows(const std::string& session) const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return sessions_.count(session) > 0;
  }

 private:
  const std::vector<grpc::Service*> others_;
  int port_ = 0;  // set by the constructor
  mutable Mutex mutex_;
  v1::RegisterReply reply_ GUARDED_BY(mutex_);
  grpc::Status refusal_ GUARDED_BY(mutex_);
  grpc::Status renewal_failure_ GUARDED_BY(mutex_);
  std::optional<v1::RenewLeasesReply> renewal_ GUARDED_BY(mutex_);
  std::set<std::string> sessions_ GUARDED_BY(mutex_);
  std::vector<v1::RegisterRequest> registrations_ GUARDED_BY(mutex_);
  v1::RenewLeasesRequest last_renewal_ GUARDED_BY(mutex_);
  std::atomic<int> num_renewals_{0};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ponder::testing
