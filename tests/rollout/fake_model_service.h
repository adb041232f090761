// Published weights for tests of workers: announces and sends snapshots, and on request forgets,
// damages or holds them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/rpc.h"
#include "core/base/wire.h"
#include "core/weights/snapshot.h"
#include "ponder/v1/model.grpc.pb.h"
// After gRPC's headers.
#include "core/base/mutex.h"

namespace ponder::testing {

// A snapshot of one tensor of so many floats, whose bytes depend on the version.
inline SnapshotPtr MakeSnapshot(uint64_t version, size_t num_floats = 8) {
  auto snapshot = std::make_shared<WeightSnapshot>();
  snapshot->layout = FlatLayout::FromTensors(
      {{.name = "weight", .dtype = DType::kF32, .shape = {num_floats}, .offset = 0}});
  snapshot->bytes.resize(snapshot->layout.total_bytes());
  for (size_t i = 0; i < snapshot->bytes.size(); ++i) {
    snapshot->bytes[i] = static_cast<char>((i * 31 + version) % 251);
  }
  snapshot->config_json = "{}";
  snapshot->kernel_path = "aten_f32";
  snapshot->identity = {.run_id = "run-1",
                        .attempt = 1,
                        .model = "policy",
                        .version = version,
                        .digest = Sha256Hex({snapshot->bytes.data(), snapshot->bytes.size()})};
  return snapshot;
}

// Thread safe.
class FakeModelService : public v1::Model::Service {
 public:
  enum class Fault {
    kDamage,  // the second chunk is changed on the way
    kBreak,   // the stream breaks before the second chunk
    kHold,    // nothing is sent until the caller cancels
  };

  void Publish(SnapshotPtr snapshot) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const uint64_t version = snapshot->identity.version;
    announced_.push_back(snapshot);
    available_[version] = std::move(snapshot);
    changed_.NotifyAll();
  }
  // The version was announced, but cannot be fetched any more.
  void Forget(uint64_t version) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    available_.erase(version);
  }
  // The next `times` transfers of a version suffer from `fault`.
  void Spoil(uint64_t version, Fault fault, int times) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    faults_[version] = {fault, times};
  }
  // Ends the streams that watch now.
  void BreakWatches() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++watch_epoch_;
    changed_.NotifyAll();
  }
  // The requests for a version so far: their `have`.
  std::vector<uint64_t> Requests(uint64_t version) const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = requests_.find(version);
    return found == requests_.end() ? std::vector<uint64_t>() : found->second;
  }

  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* /*request*/,
                     grpc::ServerWriter<v1::ModelInfo>* writer) override EXCLUDES(mutex_) {
    size_t next = 0;
    int epoch = -1;
    while (!context->IsCancelled()) {
      SnapshotPtr snapshot;
      {
        MutexLock lock(mutex_);
        if (epoch < 0) epoch = watch_epoch_;
        if (epoch != watch_epoch_) return {grpc::StatusCode::UNAVAILABLE, "the stream broke"};
        if (next == announced_.size()) {
          changed_.WaitFor(mutex_, std::chrono::milliseconds(5));
          continue;
        }
        snapshot = announced_[next++];
      }
      v1::ModelInfo info;
      *info.mutable_identity() = ToWire(snapshot->identity);
      info.set_config_json(snapshot->config_json);
      info.set_layout_json(snapshot->layout.ToJson());
      info.set_total_bytes(snapshot->bytes.size());
      info.set_kernel_path(snapshot->kernel_path);
      writer->Write(info);
    }
    return grpc::Status::CANCELLED;
  }

  grpc::Status GetWeights(grpc::ServerContext* context, const v1::GetWeightsRequest* request,
                          grpc::ServerWriter<v1::WeightChunk>* writer) override EXCLUDES(mutex_) {
    const uint64_t version = request->identity().version();
    SnapshotPtr snapshot;
    std::pair<Fault, int> spoiled{Fault::kHold, 0};
    {
      MutexLock lock(mutex_);
      requests_[version].push_back(request->have());
      if (available_.count(version) == 0) return {grpc::StatusCode::NOT_FOUND, "it is gone"};
      snapshot = available_.at(version);
      auto& left = faults_[version];
      spoiled = left;
      if (left.second > 0) --left.second;
    }
    const auto suffers = [&](Fault fault) { return spoiled.second > 0 && spoiled.first == fault; };
    while (suffers(Fault::kHold) && !context->IsCancelled()) {
      MutexLock lock(mutex_);
      changed_.WaitFor(mutex_, std::chrono::milliseconds(5));
    }
    uint64_t offset = request->have();
    for (bool is_first = true; offset < snapshot->bytes.size(); is_first = false) {
      if (!is_first && suffers(Fault::kBreak)) return {grpc::StatusCode::UNAVAILABLE, "it broke"};
      v1::WeightChunk chunk;
      const size_t size = std::min<uint64_t>(snapshot->bytes.size() - offset, kWeightChunkBytes);
      chunk.set_offset(offset);
      chunk.set_data(snapshot->bytes.data() + offset, size);
      chunk.set_crc32c(Crc32c(chunk.data()) + (!is_first && suffers(Fault::kDamage) ? 1 : 0));
      if (!writer->Write(chunk)) break;
      offset += size;
    }
    return grpc::Status::OK;
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  int watch_epoch_ GUARDED_BY(mutex_) = 0;
  std::vector<SnapshotPtr> announced_ GUARDED_BY(mutex_);
  std::map<uint64_t, SnapshotPtr> available_ GUARDED_BY(mutex_);
  std::map<uint64_t, std::pair<Fault, int>> faults_ GUARDED_BY(mutex_);
  std::map<uint64_t, std::vector<uint64_t>> requests_ GUARDED_BY(mutex_);
};

}  // namespace ponder::testing
