// A reward service in the life of a run: listens, registers with the trainer, judges, registers
// again after the trainer restarted, and leaves when the run has ended.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/base/log.h"
#include "core/base/program.h"
#include "core/base/rpc.h"
#include "reward/service/reward_service.h"

namespace ponder {

struct RewardHostOptions {
  std::string trainer;                     // host:port of rank 0
  std::string listen = "127.0.0.1:0";      // port 0 picks a free one
  std::string name = UniqueProcessName();  // a newcomer of the same name takes over
  int num_threads = 1;
  size_t max_queued = 256;
  std::chrono::milliseconds connect_timeout{60'000};     // of the first registration
  std::chrono::milliseconds reconnect_timeout{600'000};  // of later ones
};

// Owns the server, which keeps its port over restarts of the trainer. Run is called by one thread.
class RewardHost {
 public:
  // Listens from here on; nothing is judged, and health says so, before Run has registered. Throws
  // Error(kIo) when the port is taken. `channels` and `log` are borrowed.
  RewardHost(RewardHostOptions options, ChannelFactory& channels, std::function<bool()> stop,
             const Log& log);
  // Lets calls in progress finish, for a bounded time.
  ~RewardHost();
  RewardHost(const RewardHost&) = delete;
  RewardHost& operator=(const RewardHost&) = delete;

  // Where peers call: the host of `listen` with the port that was bound.
  const std::string& address() const { return address_; }

  // Blocks until the run has ended or `stop` is true. The first registration takes at most
  // connect_timeout; later ones reconnect_timeout, because a trainer that is away may be
  // restarting. Throws RpcError when the trainer refuses or cannot be reached, ConfigError when
  // this program does not understand the experiment.
  void Run();

 private:
  // Judges for one attempt of the trainer. False when Run is over.
  bool ServeAttempt(bool is_first);
  void Announce(JudgedRun run);

  const RewardHostOptions options_;
  ChannelFactory& channels_;
  const std::function<bool()> stop_;
  const Log& log_;
  RewardService service_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;  // destroyed before the service that it calls
};

}  // namespace ponder
