#include "trainer/experience/stage_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {

StageWindow::StageWindow(SampledStage stage, StageProgress progress)
    : stage_(std::move(stage)),
      resumed_version_(stage_.first_version + static_cast<uint64_t>(progress.next_step)),
      first_step_(progress.next_step),
      frontier_(progress.frontier) {
  PONDER_CHECK(stage_.slots_per_step >= 1) << "stage '" << stage_.name << "' has no slots";
  PONDER_CHECK(stage_.max_staleness >= 0) << "stage '" << stage_.name << "'";
  PONDER_CHECK(progress.next_step >= 0) << "stage '" << stage_.name << "'";
  for (TrajectoryGroup& group : progress.stored) Restore(std::move(group));
  for (const auto& [number, step] : steps_) {
    if (step.kept.size() == num_slots()) continue;
    throw Error(Condition::kBadData,
                fmt::format("resuming stage '{}': expected {} stored groups of step {}, got {}",
                            stage_.name, num_slots(), number, step.kept.size()));
  }
}

void StageWindow::Restore(TrajectoryGroup group) {
  const uint64_t packed = group.lease.prompt.ordinal;
  const Ordinal ordinal = Ordinal::Unpack(packed);
  const auto number = static_cast<int64_t>(ordinal.index / num_slots());
  const uint64_t version = group.lease.model.version;
  const bool in_window = ordinal.stream == stage_.stream && number >= first_step_ &&
                         number < first_step_ + stage_.max_staleness;
  if (!in_window || version < NominalVersion(number) || version >= resumed_version_) {
    throw Error(Condition::kBadData,
                fmt::format("resuming stage '{}' (stream {}) at step {}: expected stored groups of "
                            "steps {} to {} under versions below {}, got ordinal {} (stream {}, "
                            "step {}) under version {}",
                            stage_.name, stage_.stream, first_step_, first_step_,
                            first_step_ + stage_.max_staleness - 1, resumed_version_, packed,
                            ordinal.stream, number, version));
  }
  Step& step = steps_[number];
  if (step.kept.empty()) step.version = version;
  const bool alone = step.version == version &&
                     step.kept.emplace(ordinal.index % num_slots(), std::move(group)).second;
  if (!alone) {
    throw Error(
        Condition::kBadData,
        fmt::format("resuming stage '{}': expected one stored group per slot, all of version "
                    "{}, got ordinal {} under version {}",
                    stage_.name, step.version, packed, version));
  }
}

std::optional<int64_t> StageWindow::NextToOpen() const {
  const int64_t end = std::min(stage_.num_steps, first_step_ + stage_.max_staleness + 1);
  for (int64_t step = first_step_; step < end; ++step) {
    if (!steps_.contains(step)) return step;
  }
  return std::nullopt;
}

uint64_t StageWindow::NominalVersion(int64_t step) const {
  return stage_.first_version +
         static_cast<uint64_t>(std::max<int64_t>(0, step - stage_.max_staleness));
}

uint64_t StageWindow::VersionOf(int64_t step) const {
  const auto found = steps_.find(step);
  if (found != steps_.end()) return found->second.version;
  return std::max(NominalVersion(step), resumed_version_);
}

std::vector<Slot> StageWindow::Open(int64_t step) {
  PONDER_CHECK(NextToOpen() == step) << "step " << step << " of stage '" << stage_.name << "'";
  Step opened;
  opened.version = VersionOf(step);
  opened.begin_index = on_policy() ? frontier_ : static_cast<uint64_t>(step) * num_slots();
  opened.next_index = opened.begin_index + num_slots();
  std::vector<Slot> slots;
  for (uint64_t s = 0; s < num_slots(); ++s) {
    const uint64_t index = opened.begin_index + s;
    slots.push_back({.step = step,
                     .position = on_policy() ? index : s,
                     .ordinal = Ordinal{stage_.stream, 0, index}.Pack()});
  }
  steps_.emplace(step, std::move(opened));
  return slots;
}

Slot StageWindow::Replace(const Slot& dropped) {
  Step& step = steps_.at(dropped.step);
  const Ordinal last = Ordinal::Unpack(dropped.ordinal);
  ++step.num_dropped;
  const bool exhausted =
      on_policy() ? step.num_dropped > kMaxRefills * num_slots() : last.refill >= kMaxRefills;
  if (exhausted) {
    throw Error(Condition::kBadData,
                fmt::format("sampling step {} of stage '{}': expected a usable group within {} "
                            "replacements per slot, got {} dropped groups (see the reasons of the "
                            "drops: are the data's reference answers readable?)",
                            dropped.step, stage_.name, kMaxRefills, step.num_dropped));
  }
  if (on_policy()) {
    const uint64_t index = step.next_index++;
    return {.step = dropped.step,
            .position = index,
            .ordinal = Ordinal{stage_.stream, 0, index}.Pack()};
  }
  const auto refill = static_cast<uint8_t>(last.refill + 1);
  return {.step = dropped.step,
          .position = dropped.position,
          .ordinal = Ordinal{stage_.stream, refill, last.index}.Pack()};
}

void StageWindow::Fill(int64_t step, uint64_t position, TrajectoryGroup group) {
  Step& filled = steps_.at(step);
  PONDER_CHECK(group.lease.model.version == filled.version)
      << "step " << step << " is sampled at version " << filled.version
      << ", got a group of version " << group.lease.model.version;
  PONDER_CHECK(filled.kept.size() < num_slots()) << "step " << step << " is full";
  const bool inserted = filled.kept.emplace(position, std::move(group)).second;
  PONDER_CHECK(inserted) << "position " << position << " of step " << step << " is taken";
}

bool StageWindow::Ready(int64_t step) const { return NumKept(step) == num_slots(); }

size_t StageWindow::NumKept(int64_t step) const {
  const auto found = steps_.find(step);
  return found == steps_.end() ? 0 : found->second.kept.size();
}

std::vector<TrajectoryGroup> StageWindow::Take(int64_t step) {
  PONDER_CHECK(step == first_step_ && Ready(step))
      << "taking step " << step << " of stage '" << stage_.name << "': the next is " << first_step_
      << " with " << NumKept(first_step_) << " of " << num_slots() << " groups";
  Step& taken = steps_.at(step);
  PONDER_CHECK(!taken.taken) << "step " << step << " was taken before";
  taken.taken = true;
  const uint64_t at_start = stage_.first_version + static_cast<uint64_t>(step);
  std::vector<TrajectoryGroup> groups;
  groups.reserve(taken.kept.size());
  for (auto& [position, group] : taken.kept) {
    const uint64_t version = group.lease.model.version;
    PONDER_CHECK(version <= at_start &&
                 at_start - version <= static_cast<uint64_t>(stage_.max_staleness))
        << "ordinal " << group.lease.prompt.ordinal << " of version " << version
        << " is too old for step " << step << " at version " << at_start;
    if (on_policy()) {
      groups.push_back(std::move(group));
    } else {
      groups.push_back(group);
    }
  }
  return groups;
}

void StageWindow::Release(int64_t step) {
  const auto found = steps_.find(step);
  PONDER_CHECK(step == first_step_ && found != steps_.end() && found->second.taken)
      << "releasing step " << step << ": the next to release is " << first_step_
      << ", after it was taken";
  if (on_policy()) frontier_ = found->second.next_index;
  ++first_step_;
  steps_.erase(steps_.begin(), steps_.lower_bound(first_step_ - stage_.max_staleness));
}

StageProgress StageWindow::Progress(uint64_t version, bool* complete) const {
  const auto next = static_cast<int64_t>(version - stage_.first_version);
  const bool released = next <= first_step_;
  const bool known = next >= first_step_ - stage_.max_staleness &&
                     (released || (next == first_step_ + 1 && Ready(first_step_)));
  PONDER_CHECK(version >= stage_.first_version && known)
      << "progress of stage '" << stage_.name << "' at version " << version << " (step " << next
      << ") when step " << first_step_ << " is next";
  StageProgress progress;
  progress.next_step = next;
  *complete = true;
  if (on_policy()) {
    progress.frontier = released ? frontier_ : steps_.at(first_step_).next_index;
    return progress;
  }
  const int64_t end = std::min(stage_.num_steps, next + stage_.max_staleness);
  for (int64_t number = next; number < end; ++number) {
    const auto found = steps_.find(number);
    if (VersionOf(number) >= version) continue;
    if (!Ready(number)) *complete = false;
    if (found == steps_.end()) continue;
    for (const auto& [position, group] : found->second.kept) progress.stored.push_back(group);
  }
  return progress;
}

}  // namespace ponder
