// The experience state machine: which prompts are leased to whom, which groups are in, when a step is
// complete. Pure: no threads, no clock, no I/O; time comes in as an argument. One owner serialises calls.
//
// Slots. Step k of a stage has S slots. Slot s of step k is sampled wholly at version
// v0 + max(0, k - eta), eta = max_staleness, and consumed in slot order, so the run is the same for any
// number of workers. eta = 0: prompts are taken from the frontier in order; a dropped group leases exactly
// one replacement, never speculatively, and the batch is the shortest ordinal prefix with S kept groups.
// eta > 0: slot (k, s) has prompt index k*S+s; a drop re-fills the slot at its own version with refill+1.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/types.h"

namespace ponder {

// The prompt of an ordinal: a pure function, called under the owner's lock, so it must be quick.
using PromptSource = std::function<Prompt(uint64_t ordinal)>;

struct ExperienceOptions {
  Duration lease_time{std::chrono::seconds(30)};
  uint32_t max_tries = 5;
};

// A stage that samples.
struct SampledStage {
  std::string name;
  uint16_t stream = 0;
  std::string model;
  std::string reward_set;
  SamplingParams sampling;
  int64_t num_steps = 0;
  int64_t slots_per_step = 0;
  int64_t max_staleness = 0;
  uint64_t first_version = 0;  // v0: the version published before step 0
};

// Where a stage stands; what a checkpoint saves. `stored` holds groups that were sampled under versions
// older than the checkpoint's and could not be sampled again.
struct StageProgress {
  int64_t next_step = 0;
  uint64_t frontier = 0;  // next prompt index (eta = 0)
  std::vector<TrajectoryGroup> stored;
};

struct SampledEvaluation {
  std::string name;
  uint16_t stream = 0;
  std::string stage;
  std::string reward_set;
  SamplingParams sampling;
  uint64_t num_prompts = 0;
  ModelIdentity model;
};

// Counts since the process started; for logs and for the ledger identity
// issued == accepted + dropped + in flight.
struct ExperienceCounters {
  uint64_t prompts_issued = 0;
  uint64_t leases_issued = 0;    // every try counts
  uint64_t groups_accepted = 0;
  uint64_t duplicates = 0;
  uint64_t stale = 0;
  uint64_t leases_expired = 0;
  std::map<std::string, uint64_t> dropped;  // by reason
};

enum class SubmitVerdict { kAccepted, kDuplicate, kStale };

class Experience {
 public:
  Experience(ExperienceOptions options, PromptSource prompts);

  // ---- trainer side
  // A version is available to lease with. Versions grow.
  void Publish(const ModelIdentity& identity);
  void BeginStage(const SampledStage& stage, StageProgress progress);
  void EndStage();
  bool StepReady(int64_t step) const;
  // The S kept groups of `step` in slot order. Requires StepReady(step). The slots stay held.
  std::vector<TrajectoryGroup> TakeStep(int64_t step);
  // The weights made from `step` are published: its slots are free.
  void ReleaseStep(int64_t step);
  // Progress as after releasing next_step - 1. `complete` is false while groups leased under versions
  // older than `version` are still out (eta > 0): save later.
  StageProgress Progress(uint64_t version, bool* complete) const;
  // Evaluation leases come before all others. One evaluation at a time.
  void BeginEvaluation(const SampledEvaluation& evaluation);
  bool EvaluationReady() const;
  // Groups in order of ordinal; failed ones are there, empty, with their reason.
  std::vector<TrajectoryGroup> TakeEvaluation();

  // ---- worker side
  // Up to `max_groups` leases for `session`; repeats the last answer when `seq` repeats.
  std::vector<PromptLease> Acquire(const std::string& session, uint64_t seq, uint32_t max_groups,
                                   TimePoint now);
  // True when Acquire would yield something.
  bool HasWork() const;
  // Ids that are not (or no longer) the session's.
  std::vector<uint64_t> Renew(const std::string& session, const std::vector<uint64_t>& lease_ids,
                              TimePoint now);
  // `group.lease` is filled from the stored lease by the caller via FindLease. An infrastructure error
  // puts the prompt back with try + 1, until max_tries; a refusal drops it at once.
  SubmitVerdict Submit(const std::string& session, uint64_t lease_id, uint32_t try_number,
                       TrajectoryGroup group);
  const PromptLease* FindLease(uint64_t lease_id) const;
  // The session is gone: its leases go back at once.
  void DropSession(const std::string& session);
  // Leases whose time is over go back. Returns how many.
  size_t Expire(TimePoint now);

  const ExperienceCounters& counters() const;
  // "12 of 32 groups of step 3; waiting longest for ordinal ... leased to ... for 12.3 s"
  std::string DescribeWaiting(TimePoint now) const;
};

}  // namespace ponder
