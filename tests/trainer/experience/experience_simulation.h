// A trainer and several unreliable workers around one Experience, driven by a list of choices.
// Every schedule must give what SequentialBatches gives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/trainer/experience/experience_helpers.h"
#include "trainer/experience/experience.h"

namespace ponder::testing {

// Which ordinals the judges refuse.
using Refused = std::function<bool(uint64_t ordinal)>;

// Ordinals of every step, as one infallible worker that samples one prompt after the other gives
// them.
std::vector<std::vector<uint64_t>> SequentialBatches(const SampledStage& stage,
                                                     const Refused& refused);

// What a checkpoint of the boundary before `next_step` holds.
struct SavedRun {
  StageProgress progress;
  uint64_t version = 0;
};

class Simulation {
 public:
  // Goes on from `progress` (as from the beginning when default). `attempt` as in ModelIdentity.
  Simulation(const SampledStage& stage, ExperienceOptions options, Refused refused,
             size_t num_workers, uint32_t attempt, StageProgress progress);

  // One thing happens: a worker acquires, submits, loses a lease, dies ..., time passes, or the
  // trainer takes a step on. `choice` says what.
  void Act(uint32_t choice);
  // From now on one worker does everything right until the stage is over. Fails (returns false)
  // when a step does not complete in a bounded number of turns.
  bool RunToEnd();
  bool finished() const { return next_step_ == stage_.num_steps; }

  // Ordinals of the steps consumed by this object, from its first step on.
  const std::vector<std::vector<uint64_t>>& batches() const { return batches_; }
  // Boundaries whose checkpoint became complete, with what it holds.
  const std::vector<SavedRun>& saved() const { return saved_; }
  // Boundaries whose checkpoint was not complete when the last chance had passed.
  size_t num_unsaved() const { return num_unsaved_; }
  // Ordinals whose submit was answered ACCEPTED with a scored group, with how often.
  const std::map<uint64_t, int>& accepted() const { return accepted_; }
  const Experience& experience() const { return experience_; }
  // Rules that did not hold, as sentences.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Worker {
    std::string session;
    uint64_t seq = 0;
    std::vector<PromptLease> last_answer;
    std::vector<PromptLease> work;       // what it believes it holds
    std::vector<PromptLease> submitted;  // to be sent again
  };

  void WorkerActs(Worker& worker, uint32_t choice);
  void Acquire(Worker& worker, uint32_t max_groups);
  void Submit(Worker& worker, const PromptLease& lease, bool infrastructure_error);
  bool TrainerActs();
  void TrySaves();
  void Check(bool holds, const std::string& rule);

  const SampledStage stage_;
  const ExperienceOptions options_;
  const Refused refused_;
  const uint32_t attempt_;
  Experience experience_;
  std::vector<Worker> workers_;
  int num_sessions_ = 0;
  TimePoint now_{};
  int64_t next_step_;
  std::set<int64_t> boundaries_;  // whose checkpoint is still to be written
  std::vector<std::vector<uint64_t>> batches_;
  std::vector<SavedRun> saved_;
  size_t num_unsaved_ = 0;
  std::map<uint64_t, int> accepted_;
  std::vector<std::string> violations_;
};

}  // namespace ponder::testing
