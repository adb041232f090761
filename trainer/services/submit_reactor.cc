#include "trainer/services/submit_reactor.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/rpc.h"

namespace ponder {
namespace {

constexpr size_t kMaxReasonBytes = 1024;

v1::SubmitVerdict WireVerdict(SubmitVerdict verdict) {
  switch (verdict) {
    case SubmitVerdict::kAccepted:
      return v1::SUBMIT_VERDICT_ACCEPTED;
    case SubmitVerdict::kDuplicate:
      return v1::SUBMIT_VERDICT_DUPLICATE;
    case SubmitVerdict::kStale:
      return v1::SUBMIT_VERDICT_STALE;
  }
  return v1::SUBMIT_VERDICT_UNSPECIFIED;
}

}  // namespace

SubmitReactor::SubmitReactor(ExperienceHost& host, const WireLimits& limits,
                             const RewardSets& reward_sets,
                             const grpc::CallbackServerContext& context,
                             v1::SubmitGroupReply* reply)
    : host_(host), limits_(limits), reward_sets_(reward_sets), context_(context), reply_(reply) {
  StartRead(&message_);
}

void SubmitReactor::OnReadDone(bool ok) {
  if (!ok) {
    // A stream that broke looks like one that was half-closed, but it is cancelled or incomplete.
    if (context_.IsCancelled()) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "submitting a group: the caller went away"));
    } else {
      Finish(HandleRpc([this] { Commit(); }));
    }
    return;
  }
  const grpc::Status status = HandleRpc([this] {
    switch (message_.part_case()) {
      case v1::SubmitGroupRequest::kHeader:
        TakeHeader(message_.header());
        break;
      case v1::SubmitGroupRequest::kTrajectory:
        TakeTrajectory(message_.trajectory());
        break;
      case v1::SubmitGroupRequest::PART_NOT_SET:
        throw ProtocolError("SubmitGroupRequest: expected a header or a trajectory, got neither");
    }
  });
  if (!status.ok()) {
    Finish(status);
    return;
  }
  message_.Clear();
  StartRead(&message_);
}

void SubmitReactor::TakeHeader(const v1::SubmitGroupHeader& header) {
  if (has_header_) throw ProtocolError("SubmitGroupRequest: expected one header, got a second");
  has_header_ = true;
  header_ = header;
  if (!(std::isfinite(header.generate_s()) && header.generate_s() >= 0 &&
        std::isfinite(header.score_s()) && header.score_s() >= 0)) {
    throw ProtocolError(fmt::format(
        "SubmitGroupHeader: expected finite times >= 0, got generate_s {} and score_s {}",
        header.generate_s(), header.score_s()));
  }
  SubmitTicket ticket = host_.BeginSubmit(header.session(), header.lease_id());
  group_.outcome = FromWire(header.outcome());
  is_live_ = ticket.lease && ticket.lease->try_number == header.try_number();
  if (!is_live_) return;
  const uint32_t num_rows = ticket.lease->sampling.num_rows();
  const uint32_t expected = group_.outcome == VerdictKind::kScored ? num_rows : 0;
  if (header.num_trajectories() != expected) {
    throw ProtocolError(
        fmt::format("SubmitGroupHeader.num_trajectories of lease {}: expected {}, got {}",
                    header.lease_id(), expected, header.num_trajectories()));
  }
  group_.lease = std::move(*ticket.lease);
  group_.reason = header.reason().substr(0, kMaxReasonBytes);
  group_.worker = std::move(ticket.worker);
  group_.generate_s = header.generate_s();
  group_.score_s = header.score_s();
  group_.trajectories.reserve(expected);
}

void SubmitReactor::TakeTrajectory(const v1::Trajectory& message) {
  if (!has_header_)
    throw ProtocolError("SubmitGroupRequest: expected the header first, got a trajectory");
  ++num_received_;
  num_bytes_ += message.ByteSizeLong();
  if (num_received_ > header_.num_trajectories() || num_bytes_ > kMaxGroupBytes) {
    throw ProtocolError(fmt::format(
        "SubmitGroup of lease {}: expected {} trajectories of at most {} bytes, got more",
        header_.lease_id(), header_.num_trajectories(), kMaxGroupBytes));
  }
  if (is_live_) group_.trajectories.push_back(FromWire(message, limits_));
}

void SubmitReactor::Commit() {
  if (!has_header_) throw ProtocolError("SubmitGroup: expected a header, got an empty stream");
  if (num_received_ != header_.num_trajectories()) {
    throw ProtocolError(fmt::format("SubmitGroup of lease {}: expected {} trajectories, got {}",
                                    header_.lease_id(), header_.num_trajectories(), num_received_));
  }
  if (is_live_) CheckGroupAgainstLease(group_, reward_sets_.at(group_.lease.reward_set));
  PONDER_FAILPOINT("trainer.submit");
  const SubmitVerdict verdict =
      host_.Submit(header_.session(), header_.lease_id(), header_.try_number(), std::move(group_));
  reply_->set_verdict(WireVerdict(verdict));
}

}  // namespace ponder
