#include "core/weights/snapshot.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"

namespace ponder {
namespace {

std::string NameOf(const ModelIdentity& identity) {
  return identity.model + " version " + std::to_string(identity.version) + " of attempt " +
         std::to_string(identity.attempt);
}

}  // namespace

SnapshotAssembler::SnapshotAssembler(ModelIdentity identity, std::string config_json,
                                     FlatLayout layout, std::string kernel_path,
                                     uint64_t total_bytes, uint64_t max_bytes)
    : snapshot_(std::make_shared<WeightSnapshot>()) {
  if (total_bytes != layout.total_bytes()) {
    throw ProtocolError("receiving " + NameOf(identity) + ": expected the layout's " +
                        std::to_string(layout.total_bytes()) + " bytes, got announced " +
                        std::to_string(total_bytes));
  }
  if (total_bytes > max_bytes) {
    throw ProtocolError("receiving " + NameOf(identity) + ": expected at most " +
                        std::to_string(max_bytes) + " bytes, got announced " +
                        std::to_string(total_bytes));
  }
  snapshot_->identity = std::move(identity);
  snapshot_->config_json = std::move(config_json);
  snapshot_->layout = std::move(layout);
  snapshot_->kernel_path = std::move(kernel_path);
  snapshot_->bytes.resize(total_bytes);
}

void SnapshotAssembler::Add(uint64_t offset, std::string_view data, uint32_t crc32c) {
  PONDER_CHECK(snapshot_ != nullptr) << "a chunk arrived after Finish";
  const std::string what = "chunk of " + NameOf(snapshot_->identity);
  if (offset != received_) {
    throw ProtocolError(what + ": expected offset " + std::to_string(received_) + ", got " +
                        std::to_string(offset));
  }
  const uint64_t missing = snapshot_->bytes.size() - received_;
  if (data.empty() || data.size() > missing) {
    throw ProtocolError(what + ": expected 1 to " + std::to_string(missing) + " bytes, got " +
                        std::to_string(data.size()));
  }
  const uint32_t actual = Crc32c(data);
  if (actual != crc32c) {
    throw ProtocolError(what + " at offset " + std::to_string(offset) + ": expected CRC32C " +
                        std::to_string(crc32c) + ", got " + std::to_string(actual) +
                        " (the bytes changed on the way)");
  }
  std::copy(data.begin(), data.end(), snapshot_->bytes.begin() + static_cast<ptrdiff_t>(offset));
  received_ += data.size();
}

SnapshotPtr SnapshotAssembler::Finish() {
  PONDER_CHECK(snapshot_ != nullptr) << "Finish was called twice";
  const std::string what = "finishing " + NameOf(snapshot_->identity);
  if (received_ != snapshot_->bytes.size()) {
    throw ProtocolError(what + ": expected " + std::to_string(snapshot_->bytes.size()) +
                        " bytes, got " + std::to_string(received_));
  }
  const std::string digest = Sha256Hex({snapshot_->bytes.data(), snapshot_->bytes.size()});
  if (digest != snapshot_->identity.digest) {
    received_ = 0;
    throw ProtocolError(what + ": expected SHA-256 " + snapshot_->identity.digest + ", got " +
                        digest);
  }
  return std::exchange(snapshot_, nullptr);
}

}  // namespace ponder
