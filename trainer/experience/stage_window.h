// The steps of a sampled stage that are open: which prompts fill them, at which version, and the
// groups that came. Step k is open from the release of step k - eta - 1 to its own release, so at
// most (eta + 1) * S slots are active.
//
// eta = 0: a step takes prompt indices from the frontier in order. Each drop adds the next index,
// and no index is added otherwise, so the kept groups of a full step are the shortest prefix with S
// of them. eta > 0: slot s of step k has index k * S + s, and a drop adds one to its refill count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "trainer/experience/stage.h"

namespace ponder {

// A place in a step that wants a group.
struct Slot {
  int64_t step = 0;
  uint64_t position = 0;  // order in the step: the prompt's index (eta = 0) or the slot's number
  uint64_t ordinal = 0;
};

// Not thread safe; Experience owns it. Memory: the groups of at most 2 * eta + 1 steps.
class StageWindow {
 public:
  // A slot that lost so many groups in a row (or, at eta = 0, a step that lost so many times S)
  // ends the run: the refill count has 8 bits, and such a stage makes no progress anyway.
  static constexpr uint32_t kMaxRefills = 255;

  // `progress.stored` fills its slots at once. Steps that were sampled in part, groups outside the
  // window and groups of a wrong version throw Error(kBadData).
  StageWindow(SampledStage stage, StageProgress progress);

  const SampledStage& stage() const { return stage_; }
  // The lowest step that is not open although the window has room for it.
  std::optional<int64_t> NextToOpen() const;
  // The version that an open or next step is sampled at: first_version + max(0, step - eta); after
  // a resume never below the version resumed from (for steps that the saved run ended too early to
  // need).
  uint64_t VersionOf(int64_t step) const;
  // Opens NextToOpen() and yields its slots.
  std::vector<Slot> Open(int64_t step);
  // The slot that takes the place of `dropped`. Throws Error(kBadData) beyond kMaxRefills.
  Slot Replace(const Slot& dropped);
  // Keeps the group of a slot.
  void Fill(int64_t step, uint64_t position, TrajectoryGroup group);

  bool Ready(int64_t step) const;
  // The S groups in slot order. At eta > 0 a copy stays for Progress.
  std::vector<TrajectoryGroup> Take(int64_t step);
  // Steps are released in order, each after Take.
  void Release(int64_t step);

  // The progress that belongs to the weights of `version`; see Experience::Progress.
  StageProgress Progress(uint64_t version, bool* complete) const;

  // The first step that is not released, and how many groups it has.
  int64_t first_step() const { return first_step_; }
  size_t NumKept(int64_t step) const;

 private:
  struct Step {
    uint64_t version = 0;
    uint64_t begin_index = 0;  // first prompt index (eta = 0)
    uint64_t next_index = 0;   // the index after the last one that was opened (eta = 0)
    uint64_t num_dropped = 0;
    bool taken = false;
    std::map<uint64_t, TrajectoryGroup> kept;  // by position
  };

  bool on_policy() const { return stage_.max_staleness == 0; }
  uint64_t num_slots() const { return static_cast<uint64_t>(stage_.slots_per_step); }
  uint64_t NominalVersion(int64_t step) const;
  void Restore(TrajectoryGroup group);

  const SampledStage stage_;
  uint64_t resumed_version_;
  int64_t first_step_;
  uint64_t frontier_;              // first index of first_step_ (eta = 0)
  std::map<int64_t, Step> steps_;  // open ones, and at eta > 0 the last eta released ones
};

}  // namespace ponder
