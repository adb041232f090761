// The models that a worker is ready to sample with.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/types.h"
#include "core/weights/snapshot.h"
#include "model/decoder.h"

namespace ponder {

// At most kMaxResident decoders with their parameters. Used by one thread.
class ResidentDecoders {
 public:
  static constexpr size_t kMaxResident = 2;

  // The decoder of exactly `identity`; null when it is not resident. Valid until the next Add.
  const Decoder* Find(const ModelIdentity& identity);
  // Makes room by dropping the least recently used decoder, one that no lease of `held` names
  // before others, then builds the snapshot's. The bytes are copied. Throws ProtocolError when the
  // snapshot's layout does not fit its configuration; nothing is dropped then.
  const Decoder& Add(const WeightSnapshot& snapshot, std::span<const PromptLease> held);

  size_t size() const { return residents_.size(); }

 private:
  struct Resident {
    ModelIdentity identity;
    std::unique_ptr<Parameters> parameters;
    std::unique_ptr<Decoder> decoder;  // borrows the parameters
  };
  void DropOne(std::span<const PromptLease> held);

  std::vector<Resident> residents_;  // the least recently used first
};

}  // namespace ponder
