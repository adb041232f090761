// One Reward.Score call.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "core/base/error.h"
#include "ponder/v1/reward.grpc.pb.h"

namespace ponder {

// What a service judges with while one attempt of a trainer lasts. `score` is empty in between; it
// is called by several threads and throws as Judge::Score does.
struct JudgedRun {
  std::string run_id;
  uint32_t attempt = 0;
  std::function<v1::ScoreReply(const v1::ScoreRequest&)> score;
};

// Waits in a queue for a scoring thread. Deletes itself when the call is done; until then request
// and reply, which are gRPC's, live.
class ScoreReactor final : public grpc::ServerUnaryReactor {
 public:
  ScoreReactor(const v1::ScoreRequest& request, v1::ScoreReply* reply)
      : request_(request), reply_(reply) {}

  // Judges and finishes, unless the caller gave up meanwhile. Exactly one of Run and Refuse is
  // called, once.
  void Run(const JudgedRun& run);
  // Finishes with `error`.
  void Refuse(const Error& error);

  void OnCancel() override { is_cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  const v1::ScoreRequest& request_;
  v1::ScoreReply* const reply_;
  std::atomic<bool> is_cancelled_{false};
};

}  // namespace ponder
