// The side of Experience that workers talk to, for tests: leases what it is given and keeps what is
// submitted.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "core/base/wire.h"
#include "tests/core/base/fake_trainer.h"

namespace ponder::testing {

struct Submission {
  v1::SubmitGroupHeader header;
  std::vector<v1::Trajectory> trajectories;
};

// Thread safe, as FakeTrainer is.
class FakeRolloutTrainer : public FakeTrainer {
 public:
  using FakeTrainer::FakeTrainer;
  // Calls in progress use this object.
  ~FakeRolloutTrainer() override { Stop(); }

  // Given to whoever asks next.
  void Lease(const PromptLease& lease) EXCLUDES(leases_mutex_) {
    MutexLock lock(leases_mutex_);
    waiting_.push_back(lease);
    leased_.NotifyAll();
  }
  // The next calls of SubmitGroup answer these, in turn; then OK again.
  void AnswerSubmits(std::vector<grpc::Status> answers) EXCLUDES(leases_mutex_) {
    MutexLock lock(leases_mutex_);
    answers_.assign(answers.begin(), answers.end());
  }
  // Every call of SubmitGroup, refused or not.
  std::vector<Submission> submissions() const EXCLUDES(leases_mutex_) {
    MutexLock lock(leases_mutex_);
    return submissions_;
  }
  bool WaitForSubmissions(size_t count) const {
    return WaitUntil([&] { return submissions().size() >= count; });
  }

  // Answers soon; workers ask again.
  grpc::Status AcquirePrompts(grpc::ServerContext* /*context*/,
                              const v1::AcquirePromptsRequest* request,
                              v1::AcquirePromptsReply* reply) override EXCLUDES(leases_mutex_) {
    if (!Knows(request->session())) {
      return StatusOf(Error(Condition::kUnknownSession, "unknown session"));
    }
    MutexLock lock(leases_mutex_);
    if (waiting_.empty()) leased_.WaitFor(leases_mutex_, std::chrono::milliseconds(20));
    for (uint32_t i = 0; i < request->max_groups() && !waiting_.empty(); ++i) {
      *reply->add_leases() = ToWire(waiting_.front());
      waiting_.pop_front();
    }
    return grpc::Status::OK;
  }

  grpc::Status SubmitGroup(grpc::ServerContext* /*context*/,
                           grpc::ServerReader<v1::SubmitGroupRequest>* reader,
                           v1::SubmitGroupReply* reply) override EXCLUDES(leases_mutex_) {
    Submission submission;
    v1::SubmitGroupRequest part;
    while (reader->Read(&part)) {
      if (part.has_header()) submission.header = part.header();
      if (part.has_trajectory()) submission.trajectories.push_back(part.trajectory());
    }
    reply->set_verdict(v1::SUBMIT_VERDICT_ACCEPTED);
    MutexLock lock(leases_mutex_);
    submissions_.push_back(std::move(submission));
    if (answers_.empty()) return grpc::Status::OK;
    grpc::Status answer = answers_.front();
    answers_.pop_front();
    return answer;
  }

 private:
  mutable Mutex leases_mutex_;
  CondVar leased_;
  std::deque<PromptLease> waiting_ GUARDED_BY(leases_mutex_);
  std::deque<grpc::Status> answers_ GUARDED_BY(leases_mutex_);
  std::vector<Submission> submissions_ GUARDED_BY(leases_mutex_);
};

}  // namespace ponder::testing
