// An immutable published state of a model, and its transfer in checked chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/weights/flat_layout.h"

namespace ponder {

// Shared read-only between the publisher, transfers and engines.
struct WeightSnapshot {
  ModelIdentity identity;   // digest = SHA-256 of `bytes`
  std::string config_json;  // architecture
  FlatLayout layout;
  std::string kernel_path;
  std::vector<char> bytes;  // the flat buffer
};
using SnapshotPtr = std::shared_ptr<const WeightSnapshot>;

// Collects chunks into a staging buffer and yields a snapshot only when every byte arrived in
// order, each chunk's CRC32C held, and the whole has the announced digest. Not thread safe.
class SnapshotAssembler {
 public:
  // `total_bytes` must equal the layout's; throws ProtocolError otherwise, or above `max_bytes`.
  SnapshotAssembler(ModelIdentity identity, std::string config_json, FlatLayout layout,
                    std::string kernel_path, uint64_t total_bytes, uint64_t max_bytes);
  // Throws ProtocolError on a wrong offset, size or checksum; the bytes so far stay.
  void Add(uint64_t offset, std::string_view data, uint32_t crc32c);
  uint64_t bytes_received() const { return received_; }
  // Throws ProtocolError when incomplete or when the digest differs (then start from zero).
  SnapshotPtr Finish();

 private:
  std::shared_ptr<WeightSnapshot> snapshot_;
  uint64_t received_ = 0;
};

}  // namespace ponder
