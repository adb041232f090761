// The list of reward services, as replies carry it.
#pragma once

#include "ponder/v1/experience.pb.h"
#include "trainer/services/experience_host.h"

namespace ponder {

// Writes the list itself.
inline void SetPeers(const PeersUpdate& update, v1::Peers* peers) {
  peers->set_version(update.version);
  if (!update.addresses) return;
  for (const std::string& address : *update.addresses) peers->add_reward_addresses(address);
}

// Writes `peers_version`, and `peers` when the caller's list is old. For replies that have both
// fields.
template <typename Reply>
void SetPeers(const PeersUpdate& update, Reply* reply) {
  reply->set_peers_version(update.version);
  if (update.addresses) SetPeers(update, reply->mutable_peers());
}

}  // namespace ponder
