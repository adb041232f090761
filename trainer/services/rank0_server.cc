#include "trainer/services/rank0_server.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "core/base/rpc.h"
#include "trainer/services/experience_host.h"
#include "trainer/services/experience_service.h"
#include "trainer/services/model_service.h"
#include "trainer/services/snapshot_store.h"
#include "trainer/services/timer_thread.h"

namespace ponder {
namespace {

constexpr std::chrono::milliseconds kTimerPeriod(20);
constexpr std::chrono::seconds kTellLimit(2);      // for everybody to hear of the run's end
constexpr std::chrono::seconds kShutdownLimit(2);  // for calls in progress
// Lease ids of attempt a begin at a << 40, so that no two attempts share one.
constexpr int kAttemptShift = 40;

ExperienceOptions WithLeaseIdsOf(ExperienceOptions options, uint32_t attempt) {
  options.first_lease_id = (uint64_t{attempt} << kAttemptShift) + 1;
  return options;
}

RunDescription Describe(const Rank0Options& options) {
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.experience.lease_time);
  return {.run_id = options.run_id,
          .attempt = options.attempt,
          .experiment_yaml = options.experiment_yaml,
          .kernel_path = options.kernel_path,
          .session_timeout_ms = static_cast<uint64_t>(timeout.count())};
}

WireLimits LimitsOf(const Rank0Options& options) {
  WireLimits limits;
  limits.vocab_size = options.vocab_size;
  return limits;
}

}  // namespace

// Members are destroyed in reverse: first the timer, then the server with its reactors, then the
// services and the state that they use.
class Rank0Server::Impl {
 public:
  Impl(const Rank0Options& options, PromptSource prompts, Clock& clock, const Log& log)
      : host(WithLeaseIdsOf(options.experience, options.attempt), std::move(prompts), clock, log),
        store(options.versions_kept),
        experience_service(Describe(options), LimitsOf(options), options.reward_sets, host),
        model_service(options.run_id, options.attempt, host, store) {
    grpc::ServerBuilder builder;
    ConfigureServer(builder);
    builder.RegisterService(&experience_service);
    builder.RegisterService(&model_service);
    server = StartServer(builder, options.listen, &port);
    timer.emplace(kTimerPeriod, [this] { host.Tick(); });
  }

  ~Impl() {
    if (run_ended) host.WaitUntilTold(kTellLimit);
    if (auto* health = server->GetHealthCheckService()) health->SetServingStatus(false);
    host.Close();
    store.End();
    server->Shutdown(std::chrono::system_clock::now() + kShutdownLimit);
  }

  ExperienceHost host;
  SnapshotStore store;
  ExperienceService experience_service;
  ModelService model_service;
  int port = 0;
  bool run_ended = false;  // main thread only
  std::unique_ptr<grpc::Server> server;
  std::optional<TimerThread> timer;
};

Rank0Server::Rank0Server(const Rank0Options& options, PromptSource prompts, Clock& clock,
                         const Log& log)
    : impl_(std::make_unique<Impl>(options, std::move(prompts), clock, log)) {}

Rank0Server::~Rank0Server() = default;

int Rank0Server::port() const { return impl_->port; }

void Rank0Server::Publish(SnapshotPtr snapshot) {
  const ModelIdentity identity = snapshot->identity;
  // First the weights, then the leases that name them.
  impl_->store.Publish(std::move(snapshot));
  impl_->host.Publish(identity);
}

void Rank0Server::BeginStage(const SampledStage& stage, StageProgress progress) {
  // Leases name versions up to max_staleness behind; one more for the worker that fetches while the
  // next is published.
  impl_->store.KeepAtLeast(static_cast<size_t>(stage.max_staleness) + 2);
  impl_->host.BeginStage(stage, std::move(progress));
}

void Rank0Server::EndStage() { impl_->host.EndStage(); }

std::optional<std::vector<TrajectoryGroup>> Rank0Server::WaitForStep(int64_t step, Duration limit) {
  return impl_->host.WaitForStep(step, limit);
}

void Rank0Server::ReleaseStep(int64_t step) { impl_->host.ReleaseStep(step); }

StageProgress Rank0Server::Progress(uint64_t version, bool* complete) const {
  return impl_->host.Progress(version, complete);
}

std::optional<StageProgress> Rank0Server::WaitForProgress(uint64_t version, Duration limit) {
  return impl_->host.WaitForProgress(version, limit);
}

void Rank0Server::BeginEvaluation(const SampledEvaluation& evaluation) {
  impl_->host.BeginEvaluation(evaluation);
}

std::optional<std::vector<TrajectoryGroup>> Rank0Server::WaitForEvaluation(Duration limit) {
  return impl_->host.WaitForEvaluation(limit);
}

ExperienceCounters Rank0Server::counters() const { return impl_->host.counters(); }

std::string Rank0Server::DescribeWaiting() const { return impl_->host.DescribeWaiting(); }

size_t Rank0Server::num_workers() const { return impl_->host.Count(SessionRole::kWorker); }

size_t Rank0Server::num_reward_services() const { return impl_->host.Count(SessionRole::kReward); }

void Rank0Server::EndRun() {
  impl_->run_ended = true;
  impl_->host.EndRun();
  impl_->store.End();
}

}  // namespace ponder
