#include "rollout/worker.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

constexpr auto kAcquireDeadline = std::chrono::seconds(20);
constexpr auto kReconnectPause = std::chrono::milliseconds(200);
constexpr auto kModelPoll = std::chrono::milliseconds(500);
constexpr auto kQueueLimit = std::chrono::minutes(10);
// Few at a time, so that several workers share a step evenly.
constexpr uint32_t kGroupsPerCall = 2;
constexpr size_t kResidentModels = 2;

}  // namespace

Worker::Worker(const WorkerOptions& options, ChannelFactory& channels, const Log& log,
               std::function<bool()> stop)
    : options_(options), channels_(channels), log_(log), stop_(std::move(stop)) {}

WorkerEnd Worker::Run() {
  trainer_ = channels_.Connect(options_.trainer);
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
  const Registration& registration = session_->registration();
  experiment_ =
      ParseExperiment(registration.experiment_yaml, "the experiment from the trainer", {});
  for (const TaskConfig& task : experiment_.tasks) tasks_[task.name] = MakeTask(task);
  log_.Info("registered with " + options_.trainer + " as " + options_.name + ": run " +
            registration.run_id + ", attempt " + std::to_string(registration.attempt));
  return Serve();
}

WorkerEnd Worker::Serve() {
  const auto score_limit =
      std::chrono::milliseconds(static_cast<int64_t>(experiment_.trainer.score_timeout_s * 1000.0));
  ModelCache cache(trainer_, session_->session(), experiment_.models.front().name,
                   kWorkerKernelPath, log_);
  Scorer scorer(
      channels_, [this] { return session_->reward_peers(); }, log_);
  Submitter submitter(
      trainer_, session_->session(), scorer, score_limit,
      [this](uint64_t lease_id) { held_.Remove(lease_id); }, log_);
  const auto stub = v1::Experience::NewStub(trainer_);
  for (uint64_t seq = 1; !stop_();) {
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
    for (const PromptLease& lease : leases) {
      const Decoder* decoder = DecoderFor(lease, cache);
      if (decoder != nullptr) Generate(lease, *decoder, submitter);
    }
  }
  return WorkerEnd::kStopped;
}

const Decoder* Worker::DecoderFor(const PromptLease& lease, ModelCache& cache) {
  const auto key = std::make_pair(lease.model.attempt, lease.model.version);
  const auto found = resident_.find(key);
  if (found != resident_.end() && found->second.snapshot->identity == lease.model) {
    return found->second.decoder.get();
  }
  const auto unwanted = [&] {
    return stop_() || session_->is_lost() || session_->run_ended() || !held_.Holds(lease.lease_id);
  };
  SnapshotPtr snapshot;
  while (snapshot == nullptr) {
    if (unwanted()) return nullptr;
    snapshot = cache.WaitFor(lease.model, kModelPoll, unwanted);
  }
  Resident resident;
  const DecoderConfig config = DecoderConfig::FromJson(snapshot->config_json);
  if (config.Layout(DType::kF32) != snapshot->layout) {
    throw ProtocolError("model " + lease.model.model +
                        ": its layout does not fit its configuration");
  }
  resident.parameters = std::make_unique<Parameters>(config, at::kFloat, /*trainable=*/false);
  resident.parameters->LoadBytes({snapshot->bytes.data(), snapshot->bytes.size()});
  resident.decoder = std::make_unique<Decoder>(config, *resident.parameters);
  resident.snapshot = std::move(snapshot);
  while (resident_.size() >= kResidentModels) resident_.erase(resident_.begin());
  return resident_.insert_or_assign(key, std::move(resident)).first->second.decoder.get();
}

bool Worker::Generate(const PromptLease& lease, const Decoder& decoder, Submitter& submitter) {
  const auto begin = std::chrono::steady_clock::now();
  FinishedGroup finished;
  finished.group.lease = lease;
  finished.group.worker = options_.name;
  const auto task = tasks_.find(lease.prompt.task);
  if (task == tasks_.end()) {
    throw ProtocolError("PromptLease.prompt.task: expected a task of the experiment, got '" +
                        lease.prompt.task + "'");
  }
  finished.task = task->second;
  // One conversation per row; most tasks end it after the first turn.
  Problem problem;
  problem.index = lease.prompt.problem;
  problem.text = lease.prompt.messages.empty() ? "" : lease.prompt.messages.front().content;
  problem.reference_answer = lease.prompt.reference_answer;
  problem.metadata = lease.prompt.metadata;
  std::vector<std::unique_ptr<Episode>> episodes;
  for (uint32_t row = 0; row < lease.sampling.num_rows(); ++row) {
    episodes.push_back(task->second->NewEpisode(problem));
    episodes.back()->Reset();
  }
  const Tokenizer& tokenizer = task->second->tokenizer();
  const TurnCallback turn =
      [&](uint32_t row,
          const std::vector<uint32_t>& tokens) -> std::optional<std::vector<uint32_t>> {
    const TurnResult result = episodes[row]->Step(tokenizer.Decode(tokens));
    if (result.done) return std::nullopt;
    return tokenizer.Encode(result.observation);
  };
  GroupRequest request;
  request.seed = experiment_.run.seed;
  request.ordinal = lease.prompt.ordinal;
  request.prompt = lease.prompt.token_ids;
  request.sampling = lease.sampling;
  request.eos_id = tokenizer.eos_id();
  request.version = lease.model.version;
  const auto unwanted = [&] {
    return stop_() || session_->is_lost() || !held_.Holds(lease.lease_id);
  };
  finished.group.trajectories = engine_.Decode(decoder, request, turn, unwanted);
  if (finished.group.trajectories.empty()) {
    held_.Remove(lease.lease_id);
    return true;
  }
  finished.group.generate_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return submitter.Add(std::move(finished), kQueueLimit);
}

}  // namespace ponder
