// One Model.GetWeights stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>

#include "core/weights/snapshot.h"
#include "ponder/v1/model.grpc.pb.h"

namespace ponder {

// Sends the flat buffer of one snapshot from byte `have` on, one chunk at a time: the next is made
// when the one before has left, so a slow reader holds one chunk and a reference to the snapshot.
// Deletes itself when the call is done.
class WeightsReactor final : public grpc::ServerWriteReactor<v1::WeightChunk> {
 public:
  // Ends at once with `status` when it is not OK; `snapshot` may be null then. Otherwise
  // `have` <= size of the buffer.
  WeightsReactor(const grpc::Status& status, SnapshotPtr snapshot, uint64_t have);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void SendNext();

  const SnapshotPtr snapshot_;
  uint64_t offset_;  // of the next chunk
  v1::WeightChunk chunk_;
};

}  // namespace ponder
