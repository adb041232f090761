#include "trainer/services/weights_reactor.h"

#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "core/base/rpc.h"

namespace ponder {

WeightsReactor::WeightsReactor(const grpc::Status& status, SnapshotPtr snapshot, uint64_t have)
    : snapshot_(std::move(snapshot)), offset_(have) {
  if (status.ok()) {
    SendNext();
  } else {
    Finish(status);
  }
}

void WeightsReactor::SendNext() {
  const uint64_t left = snapshot_->bytes.size() - offset_;
  if (left == 0) {
    Finish(grpc::Status::OK);
    return;
  }
  const std::string_view data(snapshot_->bytes.data() + offset_,
                              std::min<uint64_t>(left, kWeightChunkBytes));
  chunk_.set_offset(offset_);
  chunk_.set_data(data.data(), data.size());
  chunk_.set_crc32c(Crc32c(data));
  offset_ += data.size();
  StartWrite(&chunk_);
}

void WeightsReactor::OnWriteDone(bool ok) {
  if (ok) {
    SendNext();
  } else {
    Finish(grpc::Status(grpc::StatusCode::CANCELLED, "sending weights: the caller went away"));
  }
}

}  // namespace ponder
