#include "rollout/worker.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/wire.h"
#include "rollout/episodes.h"

namespace ponder {
namespace {

constexpr auto kAcquireDeadline = std::chrono::seconds(20);
constexpr auto kReconnectPause = std::chrono::milliseconds(200);
constexpr auto kQueueLimit = std::chrono::minutes(10);
// Few at a time, so that several workers share a step evenly.
constexpr uint32_t kGroupsPerCall = 2;

}  // namespace

Worker::Worker(const WorkerOptions& options, ChannelFactory& channels, const Log& log,
               std::function<bool()> stop)
    : options_(options), channels_(channels), log_(log), stop_(std::move(stop)) {}

WorkerEnd Worker::Run() {
  trainer_ = channels_.Connect(options_.trainer);
  try {
    session_ = std::make_unique<SessionClient>(
        trainer_,
        SessionOptions{.role = v1::ROLE_WORKER,
                       .name = options_.name,
                       .address = "",
                       .kernel_paths = {kWorkerKernelPath}},
        options_.connect_timeout, stop_, [this] { return held_.All(); },
        [this](const std::vector<uint64_t>& lost) {
          for (const uint64_t id : lost) held_.Remove(id);
        },
        log_);
  } catch (const Error& error) {
    if (error.condition() == Condition::kInterrupted) return WorkerEnd::kStopped;
    throw;
  }
  const Registration& registration = session_->registration();
  experiment_ =
      ParseExperiment(registration.experiment_yaml, "the experiment from the trainer", {});
  for (const TaskConfig& task : experiment_.tasks) tasks_[task.name] = MakeTask(task);
  log_.Info("registered with " + options_.trainer + " as " + options_.name + ": run " +
            registration.run_id + ", attempt " + std::to_string(registration.attempt));
  return Serve();
}

WorkerEnd Worker::Serve() {
  ModelCache cache(trainer_,
                   {.session = session_->session(),
                    .model = experiment_.models.front().name,
                    .kernel_path = kWorkerKernelPath},
                   log_);
  Scorer scorer(
      channels_, [this] { return session_->reward_peers(); },
      Milliseconds(experiment_.trainer.score_timeout_s), log_);
  Submitter submitter(
      trainer_, session_->session(), scorer, [this](uint64_t lease_id) { held_.Remove(lease_id); },
      log_);
  const auto stub = v1::Experience::NewStub(trainer_);
  for (uint64_t seq = 1; !stop_();) {
    submitter.RethrowFailure();
    if (session_->run_ended()) return WorkerEnd::kRunEnded;
    if (session_->is_lost()) return WorkerEnd::kRegisterAgain;
    v1::AcquirePromptsRequest request;
    request.set_session(session_->session());
    request.set_seq(seq);
    request.set_max_groups(kGroupsPerCall);
    request.set_peers_version(session_->peers_version());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kAcquireDeadline);
    v1::AcquirePromptsReply reply;
    const grpc::Status status = stub->AcquirePrompts(&context, request, &reply);
    if (!status.ok()) {
      if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) session_->NoteLost();
      if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
        ThrowIfFailed(status, "Experience.AcquirePrompts", options_.trainer);
      }
      std::this_thread::sleep_for(kReconnectPause);
      continue;  // the same seq gets the same leases
    }
    ++seq;
    session_->NotePeers(reply.peers_version(), reply.has_peers() ? &reply.peers() : nullptr);
    if (reply.run_ended()) session_->NoteRunEnded();
    std::vector<PromptLease> leases;
    for (const v1::PromptLease& lease : reply.leases()) {
      leases.push_back(FromWire(lease, WireLimits{}));
      held_.Add(leases.back().lease_id);
    }
    for (std::span<const PromptLease> left(leases); !left.empty(); left = left.subspan(1)) {
      Answer(left, cache, submitter);
    }
  }
  return WorkerEnd::kStopped;
}

void Worker::Answer(std::span<const PromptLease> leases, ModelCache& cache, Submitter& submitter) {
  const PromptLease& lease = leases.front();
  const auto task = tasks_.find(lease.prompt.task);
  if (task == tasks_.end()) {
    throw ProtocolError("PromptLease.prompt.task: expected a task of the experiment, got '" +
                        lease.prompt.task + "'");
  }
  FinishedGroup finished;
  finished.task = task->second;
  finished.group.lease = lease;
  finished.group.worker = options_.name;
  const Decoder* decoder = nullptr;
  try {
    decoder = DecoderFor(leases, cache);
    if (decoder == nullptr) return;
  } catch (const Error& error) {
    FailGroup(VerdictKind::kInfrastructureError,
              "worker '" + options_.name + "' has no model to sample with: " + error.what(),
              &finished.group);
  }
  if (decoder != nullptr && !Generate(*decoder, &finished)) {
    held_.Remove(lease.lease_id);
    return;
  }
  if (submitter.Add(std::move(finished), kQueueLimit)) return;
  held_.Remove(lease.lease_id);
  log_.Warning("the group of ordinal " + std::to_string(lease.prompt.ordinal) +
               " is lost and will be leased again: too many groups wait to be scored");
}

bool Worker::IsUnwanted(const PromptLease& lease) const {
  return stop_() || session_->is_lost() || session_->run_ended() || !held_.Holds(lease.lease_id);
}

const Decoder* Worker::DecoderFor(std::span<const PromptLease> leases, ModelCache& cache) {
  const PromptLease& lease = leases.front();
  if (const Decoder* resident = decoders_.Find(lease.model)) return resident;
  const SnapshotPtr snapshot = cache.Get(lease.model, [this, &lease] { return IsUnwanted(lease); });
  return snapshot == nullptr ? nullptr : &decoders_.Add(*snapshot, leases);
}

bool Worker::Generate(const Decoder& decoder, FinishedGroup* finished) {
  const auto begin = std::chrono::steady_clock::now();
  const PromptLease& lease = finished->group.lease;
  Episodes episodes(*finished->task, ProblemOf(lease.prompt), lease.sampling.num_rows());
  GroupRequest request;
  request.seed = experiment_.run.seed;
  request.ordinal = lease.prompt.ordinal;
  request.prompt = lease.prompt.token_ids;
  request.sampling = lease.sampling;
  request.eos_id = finished->task->tokenizer().eos_id();
  request.version = lease.model.version;
  finished->group.trajectories = engine_.Decode(decoder, request, episodes.Turns(),
                                                [this, &lease] { return IsUnwanted(lease); });
  finished->group.generate_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return !finished->group.trajectories.empty();
}

}  // namespace ponder
