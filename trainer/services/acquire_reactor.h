// One Experience.AcquirePrompts call: a long poll.
#pragma once

#include <grpcpp/grpcpp.h>

#include "ponder/v1/experience.grpc.pb.h"
#include "trainer/services/experience_host.h"

namespace ponder {

// Parks itself with the host, which answers it when there is work, when its time is over, or at the
// end. Deletes itself when the call is done.
class AcquireReactor final : public grpc::ServerUnaryReactor, public ParkedPoll {
 public:
  // `reply` is gRPC's, `host` borrowed.
  AcquireReactor(ExperienceHost& host, v1::AcquirePromptsReply* reply)
      : host_(host), reply_(reply) {}
  // Call once, before the reactor is handed to gRPC.
  void Start(const v1::AcquirePromptsRequest& request);

  void Answer(PollAnswer answer) override;
  void OnCancel() override { host_.Cancel(this); }
  void OnDone() override { delete this; }

 private:
  ExperienceHost& host_;
  v1::AcquirePromptsReply* const reply_;
};

}  // namespace ponder
