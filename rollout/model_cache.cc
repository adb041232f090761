#include "rollout/model_cache.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

constexpr auto kReconnectPause = std::chrono::milliseconds(200);
// A transfer slower than this is given up and resumed where it stopped.
constexpr double kSlowestBytesPerSecond = 1e6;

}  // namespace

ModelCache::ModelCache(std::shared_ptr<grpc::Channel> channel, std::string session,
                       std::string model, std::string kernel_path, const Log& log)
    : stub_(v1::Model::NewStub(std::move(channel))),
      session_(std::move(session)),
      model_(std::move(model)),
      kernel_path_(std::move(kernel_path)),
      log_(log),
      thread_([this] { Run(); }) {}

ModelCache::~ModelCache() {
  stopping_ = true;
  {
    MutexLock lock(mutex_);
    if (active_call_ != nullptr) active_call_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

SnapshotPtr ModelCache::WaitFor(const ModelIdentity& identity, std::chrono::milliseconds limit,
                                const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (!stopping_ && !stop()) {
    const auto found = resident_.find({identity.attempt, identity.version});
    if (found != resident_.end() && found->second->identity == identity) return found->second;
    if (std::chrono::steady_clock::now() >= end) return nullptr;
    changed_.WaitFor(mutex_, std::chrono::milliseconds(50));
  }
  return nullptr;
}

void ModelCache::Run() {
  while (!stopping_) {
    try {
      FollowWatch();
    } catch (const std::exception& error) {
      if (!stopping_) log_.Warning(std::string("fetching weights: ") + error.what());
    }
    MutexLock lock(mutex_);
    if (!stopping_) changed_.WaitFor(mutex_, kReconnectPause);
  }
}

void ModelCache::FollowWatch() {
  grpc::ClientContext context;
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    active_call_ = &context;
  }
  // The stream has no deadline: it lasts as long as the run; keepalive ends it when the peer is
  // gone.
  v1::WatchRequest request;
  request.set_session(session_);
  request.set_model(model_);
  const auto reader = stub_->Watch(&context, request);
  v1::ModelInfo info;
  std::string failure;
  while (reader->Read(&info)) {
    try {
      Store(Fetch(info));
    } catch (const std::exception& error) {
      failure = error.what();
      context.TryCancel();
      break;
    }
  }
  {
    MutexLock lock(mutex_);
    active_call_ = nullptr;
  }
  reader->Finish();
  if (!failure.empty()) throw Error(Condition::kUnavailable, failure);
}

SnapshotPtr ModelCache::Fetch(const v1::ModelInfo& info) {
  if (info.kernel_path() != kernel_path_) {
    throw ProtocolError("model " + info.identity().model() + ": expected kernel path '" +
                        kernel_path_ + "', got '" + info.kernel_path() + "'");
  }
  SnapshotAssembler assembler(FromWire(info.identity()), info.config_json(),
                              FlatLayout::FromJson(info.layout_json()), info.kernel_path(),
                              info.total_bytes(), kMaxBytes);
  grpc::ClientContext context;
  context.set_deadline(
      std::chrono::system_clock::now() + std::chrono::seconds(10) +
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(
          static_cast<double>(info.total_bytes()) / kSlowestBytesPerSecond)));
  v1::GetWeightsRequest request;
  request.set_session(session_);
  *request.mutable_identity() = info.identity();
  const auto reader = stub_->GetWeights(&context, request);
  v1::WeightChunk chunk;
  while (!stopping_ && reader->Read(&chunk)) {
    assembler.Add(chunk.offset(), chunk.data(), chunk.crc32c());
  }
  if (stopping_) context.TryCancel();
  const grpc::Status status = reader->Finish();
  // A version that is gone already is no fault: newer ones are announced behind it.
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return nullptr;
  ThrowIfFailed(status, "Model.GetWeights", "the trainer");
  return assembler.Finish();
}

void ModelCache::Store(SnapshotPtr snapshot) {
  if (snapshot == nullptr) return;
  MutexLock lock(mutex_);
  const uint32_t attempt = snapshot->identity.attempt;
  std::erase_if(resident_, [&](const auto& entry) { return entry.first.first != attempt; });
  resident_[{attempt, snapshot->identity.version}] = std::move(snapshot);
  while (resident_.size() > kResident) resident_.erase(resident_.begin());
  changed_.NotifyAll();
}

}  // namespace ponder
