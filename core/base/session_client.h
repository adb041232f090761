// The registration of a worker or reward service with the trainer, and the heartbeat that keeps it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "ponder/v1/experience.grpc.pb.h"
// After gRPC's headers.
#include "core/base/mutex.h"

namespace ponder {

struct SessionOptions {
  v1::Role role = v1::ROLE_WORKER;
  std::string name;                       // stable over restarts
  std::string address;                    // reward services only: where peers call
  std::vector<std::string> kernel_paths;  // workers only
};

// What registration answered. Constant for the life of a session.
struct Registration {
  std::string run_id;
  uint32_t attempt = 0;
  std::string experiment_yaml;
  std::string kernel_path;
};

// Thread safe. One object is one session: when it is lost, make a new one. Owns the heartbeat
// thread, which renews three times per session timeout or more often: at least once a second, so
// that a restart of the trainer and the end of the run are noticed soon.
class SessionClient {
 public:
  // Registers, trying again while the trainer cannot be reached, for `connect_timeout` at most;
  // then starts the heartbeat. `held` yields the leases to renew; `lost` is told those that are the
  // session's no more. Both are called from the heartbeat thread; an exception of theirs loses the
  // session. Throws RpcError when the trainer refuses, or with kUnavailable when the timeout
  // passed; Error(kInterrupted) when `stop` became true.
  SessionClient(std::shared_ptr<grpc::Channel> channel, const SessionOptions& options,
                std::chrono::milliseconds connect_timeout, std::function<bool()> stop,
                std::function<std::vector<uint64_t>()> held,
                std::function<void(const std::vector<uint64_t>&)> lost, const Log& log);
  ~SessionClient();
  SessionClient(const SessionClient&) = delete;
  SessionClient& operator=(const SessionClient&) = delete;

  const std::string& session() const { return session_; }
  const Registration& registration() const { return registration_; }
  // The trainer does not know this session any more, or could not be reached for too long.
  bool is_lost() const { return lost_session_; }
  bool run_ended() const { return run_ended_; }
  // Reward services that are alive, as last heard.
  std::vector<std::string> reward_peers() const EXCLUDES(mutex_);
  uint64_t peers_version() const EXCLUDES(mutex_);
  // What a reply of another call said about peers, session and the end of the run.
  void NotePeers(uint64_t version, const v1::Peers* peers) EXCLUDES(mutex_);
  void NoteRunEnded() { run_ended_ = true; }
  void NoteLost() { lost_session_ = true; }

 private:
  void Register(const SessionOptions& options, std::chrono::milliseconds connect_timeout);
  void Run();
  // One heartbeat. `last_answer`: when the trainer answered last.
  void Renew(std::chrono::steady_clock::time_point* last_answer);

  const std::unique_ptr<v1::Experience::Stub> stub_;
  const std::function<bool()> stop_;
  const std::function<std::vector<uint64_t>()> held_;
  const std::function<void(const std::vector<uint64_t>&)> lost_;
  const Log& log_;
  const std::string session_;
  Registration registration_;
  std::chrono::milliseconds session_timeout_{0};
  std::atomic<bool> lost_session_{false};
  std::atomic<bool> run_ended_{false};
  mutable Mutex mutex_;
  CondVar wake_;
  bool ending_ GUARDED_BY(mutex_) = false;
  uint64_t peers_version_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> peers_ GUARDED_BY(mutex_);
  std::thread thread_;  // last: starts when everything else is ready
};

}  // namespace ponder
