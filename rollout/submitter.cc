#include "rollout/submitter.h"

#include <utility>

#include "core/base/failpoint.h"
#include "core/base/wire.h"

namespace ponder {
namespace {

constexpr auto kSubmitDeadline = std::chrono::seconds(60);
constexpr auto kPollInterval = std::chrono::milliseconds(100);

}  // namespace

Submitter::Submitter(std::shared_ptr<grpc::Channel> channel, std::string session, Scorer& scorer,
                     std::chrono::milliseconds score_limit, std::function<void(uint64_t)> done,
                     const Log& log)
    : stub_(v1::Experience::NewStub(std::move(channel))),
      session_(std::move(session)),
      scorer_(scorer),
      score_limit_(score_limit),
      done_(std::move(done)),
      log_(log),
      thread_([this] { Run(); }) {}

Submitter::~Submitter() {
  stopping_ = true;
  queue_.Close();
  thread_.join();
}

bool Submitter::Add(FinishedGroup group, std::chrono::milliseconds limit) {
  return queue_.Push(std::move(group), limit);
}

void Submitter::Run() {
  while (!stopping_) {
    std::optional<FinishedGroup> next = queue_.Pop(kPollInterval);
    if (!next) continue;
    const uint64_t lease_id = next->group.lease.lease_id;
    try {
      if (!next->group.trajectories.empty()) {
        scorer_.Score(
            *next->task, score_limit_, [this] { return stopping_.load(); }, &next->group);
      }
      if (!stopping_) Submit(next->group);
    } catch (const std::exception& error) {
      log_.Warning("group of ordinal " + std::to_string(next->group.lease.prompt.ordinal) +
                   " is lost and will be leased again: " + error.what());
    }
    done_(lease_id);
  }
}

void Submitter::Submit(const TrajectoryGroup& group) {
  v1::SubmitGroupRequest header;
  header.mutable_header()->set_session(session_);
  header.mutable_header()->set_lease_id(group.lease.lease_id);
  header.mutable_header()->set_try_number(group.lease.try_number);
  header.mutable_header()->set_num_trajectories(static_cast<uint32_t>(group.trajectories.size()));
  header.mutable_header()->set_outcome(ToWire(group.outcome));
  header.mutable_header()->set_reason(group.reason);
  header.mutable_header()->set_generate_s(group.generate_s);
  header.mutable_header()->set_score_s(group.score_s);
  v1::SubmitGroupReply reply;
  const grpc::Status status = CallWithRetry(
      RetryPolicy{}, kSubmitDeadline, [this] { return stopping_.load(); },
      [&](grpc::ClientContext& context) {
        PONDER_FAILPOINT("rollout.submit");
        const auto writer = stub_->SubmitGroup(&context, &reply);
        bool open = writer->Write(header);
        for (const Trajectory& trajectory : group.trajectories) {
          if (!open) break;
          v1::SubmitGroupRequest part;
          *part.mutable_trajectory() = ToWire(trajectory);
          open = writer->Write(part);
        }
        writer->WritesDone();
        return writer->Finish();
      });
  ThrowIfFailed(status, "Experience.SubmitGroup", "the trainer");
  if (reply.verdict() == v1::SUBMIT_VERDICT_STALE) {
    log_.Debug("group of ordinal " + std::to_string(group.lease.prompt.ordinal) +
               " came too late: its lease had moved on");
  }
}

}  // namespace ponder
