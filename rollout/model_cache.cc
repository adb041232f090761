#include "rollout/model_cache.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);
// A transfer slower than this is given up and resumed where it stopped.
constexpr uint64_t kSlowestBytesPerMs = 1000;
constexpr auto kTransferAllowance = std::chrono::seconds(10);

std::string NameOf(const ModelIdentity& identity) {
  return identity.model + " version " + std::to_string(identity.version);
}

}  // namespace

ModelCache::ModelCache(const std::shared_ptr<grpc::Channel>& channel, ModelCacheOptions options,
                       const Log& log)
    : stub_(v1::Model::NewStub(channel)),
      options_(std::move(options)),
      log_(log),
      thread_([this] { Run(); }),
      watch_(
          channel, options_.session, options_.model,
          [this](const v1::ModelInfo& info) { Announce(info); }, log) {}

ModelCache::~ModelCache() {
  stopping_ = true;
  {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }
  canceller_.Cancel();
  thread_.join();
}

SnapshotPtr ModelCache::Get(const ModelIdentity& identity, const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + options_.announce_limit;
  MutexLock lock(mutex_);
  if (ahead_ != nullptr && ahead_->identity == identity) return std::exchange(ahead_, nullptr);
  if (answer_ != nullptr && answer_->identity != identity) answer_ = nullptr;
  failure_ = nullptr;
  wanted_ = identity;
  changed_.NotifyAll();
  while (answer_ == nullptr) {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    if (stop()) return nullptr;
    RequireAnnounced(identity, std::chrono::steady_clock::now() >= end);
    changed_.WaitFor(mutex_, kPoll);
  }
  wanted_.reset();
  return std::exchange(answer_, nullptr);
}

void ModelCache::RequireAnnounced(const ModelIdentity& identity, bool is_late) const {
  const auto found = announced_.find(identity.version);
  if (found == announced_.end()) {
    if (!is_late) return;
    throw Error(Condition::kDeadline,
                "waiting for " + NameOf(identity) + ": expected its announcement within " +
                    std::to_string(options_.announce_limit.count()) + " ms, got none");
  }
  const ModelIdentity announced = FromWire(found->second.identity());
  if (announced == identity) return;
  throw ProtocolError("waiting for " + NameOf(identity) + ": expected attempt " +
                      std::to_string(identity.attempt) + " and digest " + identity.digest +
                      ", which the lease names, got announced attempt " +
                      std::to_string(announced.attempt) + " and digest " + announced.digest);
}

void ModelCache::Announce(const v1::ModelInfo& info) {
  const ModelIdentity identity = FromWire(info.identity());
  MutexLock lock(mutex_);
  announced_[identity.version] = info;
  while (announced_.size() > kMaxAnnounced) announced_.erase(announced_.begin());
  changed_.NotifyAll();
}

std::optional<v1::ModelInfo> ModelCache::NextToFetch() {
  if (answer_ != nullptr) return std::nullopt;  // not taken yet: memory is bounded
  if (wanted_ && failure_ == nullptr) {
    const auto found = announced_.find(wanted_->version);
    if (found != announced_.end() && FromWire(found->second.identity()) == *wanted_) {
      newest_begun_ = std::max(newest_begun_, found->first);
      return found->second;
    }
  }
  if (announced_.empty() || announced_.rbegin()->first <= newest_begun_) return std::nullopt;
  newest_begun_ = announced_.rbegin()->first;
  return announced_.rbegin()->second;
}

void ModelCache::Run() {
  while (!stopping_) {
    std::optional<v1::ModelInfo> next;
    {
      MutexLock lock(mutex_);
      next = NextToFetch();
      if (!next) changed_.WaitFor(mutex_, kPoll);
    }
    if (!next) continue;
    const ModelIdentity identity = FromWire(next->identity());
    SnapshotPtr snapshot;
    std::exception_ptr failure;
    try {
      snapshot = Fetch(*next);
    } catch (const std::exception& error) {
      failure = std::current_exception();
      if (!stopping_) log_.Warning("fetching " + NameOf(identity) + ": " + error.what());
    }
    MutexLock lock(mutex_);
    if (wanted_ == identity) {
      answer_ = std::move(snapshot);
      failure_ = failure;
    } else if (snapshot != nullptr) {
      ahead_ = std::move(snapshot);
    }
    changed_.NotifyAll();
  }
}

SnapshotPtr ModelCache::Fetch(const v1::ModelInfo& info) {
  if (info.kernel_path() != options_.kernel_path) {
    throw ProtocolError("model " + info.identity().model() + ": expected kernel path '" +
                        options_.kernel_path + "', got '" + info.kernel_path() + "'");
  }
  SnapshotAssembler assembler(FromWire(info.identity()), info.config_json(),
                              FlatLayout::FromJson(info.layout_json()), info.kernel_path(),
                              info.total_bytes(), kMaxBytes);
  const auto deadline =
      kTransferAllowance + std::chrono::milliseconds(info.total_bytes() / kSlowestBytesPerMs);
  SnapshotPtr snapshot;
  const grpc::Status status = CallWithRetry(
      options_.fetch, deadline, [this] { return stopping_.load(); },
      [&](grpc::ClientContext& context) {
        const CallCanceller::Scope scope(canceller_, context);
        return ReadWeights(info, &context, &assembler, &snapshot);
      });
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    throw Error(Condition::kUnavailable, "the trainer no longer has it: " + status.error_message());
  }
  ThrowIfFailed(status, "Model.GetWeights", "the trainer");
  return snapshot;
}

grpc::Status ModelCache::ReadWeights(const v1::ModelInfo& info, grpc::ClientContext* context,
                                     SnapshotAssembler* assembler, SnapshotPtr* snapshot) {
  v1::GetWeightsRequest request;
  request.set_session(options_.session);
  *request.mutable_identity() = info.identity();
  request.set_have(assembler->bytes_received());
  const auto reader = stub_->GetWeights(context, request);
  v1::WeightChunk chunk;
  // Bytes that changed on the way are asked for again, as if the connection had broken.
  const auto damaged = [](const ProtocolError& error) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, error.what());
  };
  try {
    while (reader->Read(&chunk)) assembler->Add(chunk.offset(), chunk.data(), chunk.crc32c());
  } catch (const ProtocolError& error) {
    context->TryCancel();
    reader->Finish();
    return damaged(error);
  }
  grpc::Status status = reader->Finish();
  if (!status.ok()) return status;
  try {
    *snapshot = assembler->Finish();
  } catch (const ProtocolError& error) {
    return damaged(error);
  }
  return status;
}

}  // namespace ponder
