// A rollout worker: leases prompts, samples with exactly the leased model, has the groups scored,
// submits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/base/log.h"
#include "core/base/program.h"
#include "core/base/rpc.h"
#include "core/base/session_client.h"
#include "core/base/types.h"
#include "core/config/experiment.h"
#include "model/decoder.h"
#include "rollout/engine/group_decoder.h"
#include "rollout/held_leases.h"
#include "rollout/model_cache.h"
#include "rollout/resident_decoders.h"
#include "rollout/submitter.h"
#include "tasks/task.h"

namespace ponder {

struct WorkerOptions {
  std::string trainer;                                // host:port
  std::string name = UniqueProcessName();             // a newcomer of the same name takes over
  std::chrono::milliseconds connect_timeout{60'000};  // of the registration
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
  WorkerEnd Serve();
  // Samples the group of the first of `leases`, which are those at hand, and queues it for scoring.
  // A lease whose model cannot be had is answered with an infrastructure failure.
  void Answer(std::span<const PromptLease> leases, ModelCache& cache, Submitter& submitter);
  // The decoder of exactly the first lease's model, or null when the lease is unwanted. Throws
  // Error when it cannot be had.
  const Decoder* DecoderFor(std::span<const PromptLease> leases, ModelCache& cache);
  // False when the lease became unwanted meanwhile.
  bool Generate(const Decoder& decoder, FinishedGroup* finished);
  // Nobody waits for the lease's group any more.
  bool IsUnwanted(const PromptLease& lease) const;

  const WorkerOptions options_;
  ChannelFactory& channels_;
  const Log& log_;
  const std::function<bool()> stop_;
  std::shared_ptr<grpc::Channel> trainer_;
  HeldLeases held_;
  std::unique_ptr<SessionClient> session_;
  ExperimentConfig experiment_;
  std::map<std::string, std::shared_ptr<const Task>> tasks_;
  ResidentDecoders decoders_;
  GroupDecoder engine_;
};

}  // namespace ponder
