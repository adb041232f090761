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
                     std::function<void(uint64_t)> done, const Log& log)
    : stub_(v1::Experience::NewStub(std::move(channel))),
      session_(std::move(session)),
      scorer_(scorer),
      done_(std::move(done)),
      log_(log),
      thread_([this] { Run(); }) {}

Submitter::~Submitter() {
  stopping_ = true;
  queue_.Close();
  scorer_.Cancel();
  thread_.join();
}

bool Submitter::Add(FinishedGroup group, std::chrono::milliseconds limit) {
  return queue_.Push(std::move(group), limit);
}

void Submitter::RethrowFailure() const {
  MutexLock lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void Submitter::Run() {
  while (!stopping_) {
    std::optional<FinishedGroup> next = queue_.Pop(kPollInterval);
    if (!next) continue;
    const uint64_t lease_id = next->group.lease.lease_id;
    try {
      ScoreAndSubmit(&*next);
    } catch (const std::exception& error) {
      log_.Warning("group of ordinal " + std::to_string(next->group.lease.prompt.ordinal) +
                   " is lost and will be leased again: " + error.what());
    }
    done_(lease_id);
  }
}

void Submitter::ScoreAndSubmit(FinishedGroup* finished) {
  TrajectoryGroup& group = finished->group;
  if (!group.trajectories.empty()) {
    try {
      scorer_.Score(
          *finished->task, [this] { return stopping_.load(); }, &group);
    } catch (const std::exception& error) {
      FailGroup(VerdictKind::kInfrastructureError, std::string("scoring failed: ") + error.what(),
                &group);
    }
  }
  if (stopping_) return;
  const grpc::Status status = Submit(group);
  if (status.ok()) return;
  // With a trainer that is away or that lost the session there is nobody to tell.
  const bool is_heard =
      !IsRetried(status) && status.error_code() != grpc::StatusCode::FAILED_PRECONDITION;
  if (is_heard) {
    FailGroup(VerdictKind::kInfrastructureError, "submitting failed: " + status.error_message(),
              &group);
    Submit(group);
  }
  try {
    ThrowIfFailed(status, "Experience.SubmitGroup", "the trainer");
  } catch (...) {
    if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
      MutexLock lock(mutex_);
      failure_ = std::current_exception();
    }
    throw;
  }
}

grpc::Status Submitter::Submit(const TrajectoryGroup& group) {
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
  grpc::Status status = CallWithRetry(
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
  if (status.ok() && reply.verdict() == v1::SUBMIT_VERDICT_STALE) {
    log_.Debug("group of ordinal " + std::to_string(group.lease.prompt.ordinal) +
               " came too late: its lease had moved on");
  }
  return status;
}

}  // namespace ponder
