#include "rollout/resident_decoders.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ponder {

const Decoder* ResidentDecoders::Find(const ModelIdentity& identity) {
  const auto found =
      std::find_if(residents_.begin(), residents_.end(),
                   [&identity](const Resident& resident) { return resident.identity == identity; });
  if (found == residents_.end()) return nullptr;
  std::rotate(found, found + 1, residents_.end());
  return residents_.back().decoder.get();
}

const Decoder& ResidentDecoders::Add(const WeightSnapshot& snapshot,
                                     std::span<const PromptLease> held) {
  const DecoderConfig config = DecoderConfig::FromJson(snapshot.config_json);
  if (config.Layout(DType::kF32) != snapshot.layout) {
    throw ProtocolError("model " + snapshot.identity.model + " version " +
                        std::to_string(snapshot.identity.version) +
                        ": its layout does not fit its configuration");
  }
  while (residents_.size() >= kMaxResident) DropOne(held);
  Resident resident;
  resident.identity = snapshot.identity;
  resident.parameters = std::make_unique<Parameters>(config, at::kFloat, /*trainable=*/false);
  resident.parameters->LoadBytes({snapshot.bytes.data(), snapshot.bytes.size()});
  resident.decoder = std::make_unique<Decoder>(config, *resident.parameters);
  residents_.push_back(std::move(resident));
  return *residents_.back().decoder;
}

void ResidentDecoders::DropOne(std::span<const PromptLease> held) {
  const auto is_needed = [held](const Resident& resident) {
    return std::any_of(held.begin(), held.end(), [&resident](const PromptLease& lease) {
      return lease.model == resident.identity;
    });
  };
  const auto unneeded = std::find_if_not(residents_.begin(), residents_.end(), is_needed);
  residents_.erase(unneeded != residents_.end() ? unneeded : residents_.begin());
}

}  // namespace ponder
