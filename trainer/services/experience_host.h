// The experience state machine, the sessions and the parked long polls behind one mutex: the
// trainer's main thread on one side, RPC threads and the timer on the other.
//
// Under the mutex only state changes. Answers to polls and log lines are collected there and go out
// after it is released, so no lock is held while an RPC is finished or a line is written.
#pragma once

#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "trainer/experience/experience.h"
#include "trainer/services/session_table.h"

namespace ponder {

// The list of reward services, if the caller's is not this one.
struct PeersUpdate {
  uint64_t version = 0;
  std::optional<std::vector<std::string>> addresses;
};

struct PollRequest {
  std::string session;
  uint64_t seq = 0;
  uint32_t max_groups = 0;
  uint64_t peers_version = 0;
};

struct PollAnswer {
  std::vector<PromptLease> leases;
  PeersUpdate peers;
  bool run_ended = false;
  std::exception_ptr error;  // set instead of all else when the poll failed
};

// A long poll that waits for leases. Whoever takes it out of the host's list answers it, exactly
// once; it stays valid until then.
class ParkedPoll {
 public:
  virtual ~ParkedPoll() = default;
  // Called without locks held. Must not block.
  virtual void Answer(PollAnswer answer) = 0;
};

struct RenewAnswer {
  std::vector<uint64_t> lost_lease_ids;
  PeersUpdate peers;
  bool run_ended = false;
};

// What a submit needs to know before its trajectories are read.
struct SubmitTicket {
  std::string worker;                // name of the session
  std::optional<PromptLease> lease;  // empty: no longer live, the submit is stale or a duplicate
};

// Thread safe.
class ExperienceHost {
 public:
  // How long a poll is parked.
  static constexpr Duration kPollLimit = std::chrono::seconds(10);

  // `clock` and `log` are borrowed.
  ExperienceHost(ExperienceOptions options, PromptSource prompts, Clock& clock, const Log& log);

  // ---- trainer side: see Rank0Server
  void Publish(const ModelIdentity& identity) EXCLUDES(mutex_);
  void BeginStage(const SampledStage& stage, StageProgress progress) EXCLUDES(mutex_);
  void EndStage() EXCLUDES(mutex_);
  std::optional<std::vector<TrajectoryGroup>> WaitForStep(int64_t step, Duration limit)
      EXCLUDES(mutex_);
  void ReleaseStep(int64_t step) EXCLUDES(mutex_);
  StageProgress Progress(uint64_t version, bool* complete) const EXCLUDES(mutex_);
  std::optional<StageProgress> WaitForProgress(uint64_t version, Duration limit) EXCLUDES(mutex_);
  void BeginEvaluation(const SampledEvaluation& evaluation) EXCLUDES(mutex_);
  std::optional<std::vector<TrajectoryGroup>> WaitForEvaluation(Duration limit) EXCLUDES(mutex_);
  ExperienceCounters counters() const EXCLUDES(mutex_);
  std::string DescribeWaiting() const EXCLUDES(mutex_);
  size_t Count(SessionRole role) const EXCLUDES(mutex_);
  // From now on every answer says that the run is over; parked polls are answered so at once.
  void EndRun() EXCLUDES(mutex_);
  // After EndRun: waits, at most `limit`, until every session that lives was told. False
  // when the limit passed first.
  bool WaitUntilTold(Duration limit) EXCLUDES(mutex_);
  // Answers every poll, parked or to come, with kUnavailable: the server goes away.
  void Close() EXCLUDES(mutex_);

  // ---- worker side. Calls of a session that is not known throw Error(kUnknownSession).
  PeersUpdate Register(Session session) EXCLUDES(mutex_);
  RenewAnswer Renew(const std::string& session, const std::vector<uint64_t>& lease_ids,
                    uint64_t peers_version) EXCLUDES(mutex_);
  // Answers `poll` at once, or parks it. A newer poll of the same session ends an older one.
  void Poll(ParkedPoll* poll, const PollRequest& request) EXCLUDES(mutex_);
  // The caller went away. Answers `poll` if it is still parked.
  void Cancel(ParkedPoll* poll) EXCLUDES(mutex_);
  SubmitTicket BeginSubmit(const std::string& session, uint64_t lease_id) EXCLUDES(mutex_);
  SubmitVerdict Submit(const std::string& session, uint64_t lease_id, uint32_t try_number,
                       TrajectoryGroup group) EXCLUDES(mutex_);
  void RequireSession(const std::string& session) const EXCLUDES(mutex_);

  // ---- timer: expires leases, sessions and polls. Failures surface in WaitForStep.
  void Tick() EXCLUDES(mutex_);

 private:
  struct Parked {
    ParkedPoll* poll = nullptr;
    PollRequest request;
    TimePoint deadline;
  };
  // What goes out once the mutex is released.
  struct Outbox {
    std::vector<std::pair<ParkedPoll*, PollAnswer>> answers;
    std::vector<std::string> lines;
    std::vector<std::string> warnings;
  };

  void Flush(Outbox&& outbox) EXCLUDES(mutex_);
  // Something changed: gives work to parked polls and wakes the main thread.
  void Changed(Outbox* outbox) REQUIRES(mutex_);
  PollAnswer TryAcquire(const PollRequest& request, TimePoint now) REQUIRES(mutex_);
  PollAnswer EmptyAnswer(const PollRequest& request) REQUIRES(mutex_);
  PeersUpdate PeersFor(uint64_t known_version) const REQUIRES(mutex_);
  Session& TouchOrThrow(const std::string& session) REQUIRES(mutex_);
  // `session` is being told that the run is over.
  void NoteTold(const std::string& session) REQUIRES(mutex_);
  void DropSession(const std::string& session, Outbox* outbox) REQUIRES(mutex_);
  void ExpireAll(TimePoint now, Outbox* outbox) REQUIRES(mutex_);
  void RethrowFailure() const REQUIRES(mutex_);
  // Tells why a group came back empty, but one of many in a short time only.
  void NoteEmptyGroup(uint64_t ordinal, uint32_t try_number, const std::string& worker,
                      const std::string& reason, Outbox* outbox) REQUIRES(mutex_);

  Clock& clock_;
  const Log& log_;
  mutable Mutex mutex_;
  CondVar changed_;
  Experience experience_ GUARDED_BY(mutex_);
  SessionTable sessions_ GUARDED_BY(mutex_);
  std::list<Parked> parked_ GUARDED_BY(mutex_);  // oldest first
  std::optional<TimePoint> empty_group_told_ GUARDED_BY(mutex_);
  uint64_t num_empty_untold_ GUARDED_BY(mutex_) = 0;
  bool run_ended_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::exception_ptr failure_ GUARDED_BY(mutex_);  // a bug met on another thread
};

}  // namespace ponder
