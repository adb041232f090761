// The experience state machine: which prompts are leased to whom, which groups are in, when a step
// is complete. Pure: no threads, no clock, no I/O; time comes in as an argument. One owner
// serialises calls.
//
// Slots. Step k of a stage has S slots. Slot s of step k is sampled wholly at version
// v0 + max(0, k - eta), eta = max_staleness, and consumed in slot order, so the run is the same for
// any number of workers. eta = 0: prompts are taken from the frontier in order; a dropped group
// leases exactly one replacement, never speculatively, and the batch is the shortest ordinal prefix
// with S kept groups. eta > 0: slot (k, s) has prompt index k*S+s; a drop re-fills the slot at its
// own version with refill+1.
//
// Drops, by reason: "refused" (the judges cannot use the prompt's gold), "infrastructure",
// "lease_expired" and "session_lost" (the way the last of max_tries tries ended), "stage_ended".
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/types.h"
#include "trainer/experience/lease_table.h"
#include "trainer/experience/stage.h"
#include "trainer/experience/stage_window.h"

namespace ponder {

// The prompt of an ordinal: a pure function, called under the owner's lock, so it must be quick.
using PromptSource = std::function<Prompt(uint64_t ordinal)>;

struct ExperienceOptions {
  Duration lease_time{std::chrono::seconds(30)};
  uint32_t max_tries = 5;
  // So many prompts in a row that are dropped as "infrastructure", with no group accepted in
  // between, are no accident of a prompt: nothing can be scored, and the run ends.
  uint32_t max_unscored_prompts = 5;
  // Ids count up from here. Distinct ranges per attempt keep a late submit of an earlier attempt
  // from naming a lease of this one.
  uint64_t first_lease_id = 1;
};

// Counts since the process started; for logs and for the ledger identity
// issued == accepted + dropped + in flight.
struct ExperienceCounters {
  uint64_t prompts_issued = 0;
  uint64_t leases_issued = 0;  // every try counts
  uint64_t groups_accepted = 0;
  uint64_t duplicates = 0;
  uint64_t stale = 0;
  uint64_t leases_expired = 0;
  std::map<std::string, uint64_t> dropped;  // by reason
};

enum class SubmitVerdict { kAccepted, kDuplicate, kStale };

// Every change checks the ledger identity and throws Error(kInternal) when it does not hold.
class Experience {
 public:
  Experience(ExperienceOptions options, PromptSource prompts);

  // ---- trainer side
  // A version is available to lease with. Versions grow.
  void Publish(const ModelIdentity& identity);
  // Throws Error(kBadData) when `progress` does not belong to the stage.
  void BeginStage(const SampledStage& stage, StageProgress progress);
  // Open leases of the stage become stale. Its progress can still be asked for.
  void EndStage();
  // Throws what made the stage impossible: the prompt source's exception, Error(kBadData) when a
  // slot was dropped and refilled StageWindow::kMaxRefills times, or Error(kUnavailable) when
  // max_unscored_prompts in a row could not be scored.
  bool StepReady(int64_t step) const;
  // The S kept groups of `step` in slot order. Requires StepReady(step). The slots stay held.
  std::vector<TrajectoryGroup> TakeStep(int64_t step);
  // The weights made from `step` are published: its slots are free.
  void ReleaseStep(int64_t step);
  // Progress as after releasing next_step - 1, where next_step is the step that `version` begins.
  // `complete` is false while groups leased under versions older than `version` are still out
  // (eta > 0): save later, at the latest before step next_step + eta is released. Before the
  // first stage: empty and complete.
  StageProgress Progress(uint64_t version, bool* complete) const;
  // Evaluation leases come before all others. One evaluation at a time; its model must be
  // published.
  void BeginEvaluation(const SampledEvaluation& evaluation);
  // Throws as StepReady does.
  bool EvaluationReady() const;
  // Groups in order of ordinal; failed ones are there, empty, with their reason.
  std::vector<TrajectoryGroup> TakeEvaluation();

  // ---- worker side
  // Up to `max_groups` leases for `session`; repeats the last answer, as far as its leases still
  // live, when `seq` repeats. Throws ProtocolError when `seq` is older than the last answer's.
  std::vector<PromptLease> Acquire(const std::string& session, uint64_t seq, uint32_t max_groups,
                                   TimePoint now);
  // True when Acquire with a new seq would yield something.
  bool HasWork() const;
  // Ids that are not (or no longer) the session's.
  std::vector<uint64_t> Renew(const std::string& session, const std::vector<uint64_t>& lease_ids,
                              TimePoint now);
  // `group.lease` is filled from the stored lease by the caller via FindLease. An infrastructure
  // error puts the prompt back with try + 1, until max_tries; a refusal drops it at once.
  SubmitVerdict Submit(const std::string& session, uint64_t lease_id, uint32_t try_number,
                       TrajectoryGroup group);
  // A live lease; null otherwise. Valid until the next change.
  const PromptLease* FindLease(uint64_t lease_id) const;
  // The session is gone: its leases go back at once.
  void DropSession(const std::string& session);
  // Leases whose time is over go back. Returns how many.
  size_t Expire(TimePoint now);

  const ExperienceCounters& counters() const { return counters_; }
  // Prompts that were issued and have neither a group nor been dropped.
  uint64_t num_in_flight() const { return table_.num_in_flight(); }
  // "12 of 32 groups of step 3; waiting longest for ordinal ... leased to ... for 12.3 s"
  std::string DescribeWaiting(TimePoint now) const;

 private:
  struct Evaluation {
    SampledEvaluation plan;
    std::map<uint64_t, TrajectoryGroup> groups;  // by ordinal
  };

  // Opens every step whose version is published and that the window has room for.
  void OpenSteps();
  void AddSlot(const Slot& slot);
  // The identity of a published version; null when it is not (or no longer) known.
  const ModelIdentity* FindVersion(const std::string& model, uint64_t version) const;
  // A lease ended without a result: the prompt waits again, or is dropped after max_tries.
  void GiveBack(uint64_t lease_id, VerdictKind outcome, const std::string& reason,
                const std::string& detail);
  // `reason` is one of the list above; `detail` is the submitter's text.
  void Drop(const WorkItem& item, VerdictKind outcome, const std::string& reason,
            const std::string& detail);
  void RethrowFault() const;
  void CheckLedger() const;

  const ExperienceOptions options_;
  const PromptSource prompts_;
  LeaseTable table_;
  std::map<std::string, std::map<uint64_t, ModelIdentity>> published_;  // by model and version
  std::optional<StageWindow> window_;  // of the present stage, or of the last one
  bool stage_open_ = false;
  std::optional<Evaluation> evaluation_;
  ExperienceCounters counters_;
  uint64_t num_dropped_ = 0;
  uint32_t unscored_in_a_row_ = 0;
  std::exception_ptr fault_;  // why no more prompts can be leased
};

}  // namespace ponder
