// A rollout worker: leases prompts, samples with exactly the leased model, has the groups scored,
// submits.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "core/base/session_client.h"
#include "core/base/types.h"
#include "core/config/experiment.h"
#include "model/decoder.h"
#include "rollout/engine/group_decoder.h"
#include "rollout/held_leases.h"
#include "rollout/model_cache.h"
#include "rollout/submitter.h"
#include "tasks/task.h"

namespace ponder {

struct WorkerOptions {
  std::string trainer;  // host:port
  std::string name = "worker0";
  std::chrono::milliseconds connect_timeout{60'000};
};

// How one registration with a trainer ended.
enum class WorkerEnd { kRunEnded, kStopped, kRegisterAgain };

// The one kernel path that this build runs.
inline constexpr const char* kWorkerKernelPath = "aten_f32";

// Works for one attempt of a trainer, from registration until the run ends, the session is lost, or
// `stop` becomes true. Main thread only. Everything it makes dies with it: a new attempt starts
// clean.
class Worker {
 public:
  Worker(const WorkerOptions& options, ChannelFactory& channels, const Log& log,
         std::function<bool()> stop);

  WorkerEnd Run();

 private:
  // A model that is ready to sample with.
  struct Resident {
    SnapshotPtr snapshot;
    std::unique_ptr<Parameters> parameters;
    std::unique_ptr<Decoder> decoder;
  };

  WorkerEnd Serve();
  // The decoder of exactly the leased model, or null when the lease was lost or a stop was asked
  // for.
  const Decoder* DecoderFor(const PromptLease& lease, ModelCache& cache);
  // Samples one group and queues it for scoring. False when the submit queue is closed or full too
  // long.
  bool Generate(const PromptLease& lease, const Decoder& decoder, Submitter& submitter);

  const WorkerOptions options_;
  ChannelFactory& channels_;
  const Log& log_;
  const std::function<bool()> stop_;
  std::shared_ptr<grpc::Channel> trainer_;
  HeldLeases held_;
  std::unique_ptr<SessionClient> session_;
  ExperimentConfig experiment_;
  std::map<std::string, std::shared_ptr<const Task>> tasks_;
  std::map<std::pair<uint32_t, uint64_t>, Resident> resident_;
  GroupDecoder engine_;
};

}  // namespace ponder
